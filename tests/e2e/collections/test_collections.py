"""Collections through the client: life, schema changes while it serves, aliases everywhere a name goes."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import headwater
from headwater import (
    Client,
    CreateAlias,
    Datatype,
    DeleteAlias,
    Distance,
    HnswConfigDiff,
    IndexKind,
    LookupFrom,
    OptimizersConfig,
    PointStruct,
    PointVectors,
    RenameAlias,
    SpaceState,
    VectorParams,
    VectorParamsDiff,
    has_vector,
)

NAMES = ["a", "name with spaces", "größe", "日本語", "x" * 255, "é" * 127, "a.b-c_d", "..", "con", "A", "'; --", "%2F"]


@pytest.fixture
def made(client: Client, name: str) -> Iterator[str]:
    client.collections.create(name, {"text": VectorParams(2), "image": VectorParams(3, Distance.Euclid)})
    client.points.upsert(name, [PointStruct(n, {"text": [n + 1, 1], "image": [n, n, n]}) for n in range(5)])
    yield name
    client.collections.delete(name, strict=False)


def test_a_collection_says_what_it_is(client: Client, name: str) -> None:
    params = VectorParams(
        4, Distance.Manhattan, hnsw_config=HnswConfigDiff(m=8, ef_construct=50), datatype=Datatype.Float16
    )
    info = client.collections.create(
        name, {"": params, "other": VectorParams(65_536)}, optimizers_config={"indexing_threshold": 123}
    )
    assert (info.name, info.points_count, info.aliases) == (name, 0, ())
    assert info.optimizers_config == OptimizersConfig(123, auto_index=True)
    assert info.vectors[""].params == VectorParams(
        4, Distance.Manhattan, HnswConfigDiff(m=8, ef_construct=50, ef=128), Datatype.Float16, IndexKind.Auto
    )
    assert info.vectors["other"].params == VectorParams(
        65_536, Distance.Cosine, HnswConfigDiff(m=16, ef_construct=200, ef=128), Datatype.BFloat16, IndexKind.Auto
    )
    assert {space.state for space in info.vectors.values()} == {SpaceState.AWAITING_VECTORS}
    assert client.collections.get_info(name) == info
    assert client.collections.get_or_create(name, VectorParams(9)) == info, "an existing one is left as it is"
    client.points.upsert(name, [PointStruct(1, [1, 2, 3, 4]), PointStruct(2)])
    info = client.collections.get_info(name)
    assert (info.points_count, info.vectors[""].vectors_count, info.vectors["other"].vectors_count) == (2, 1, 0)
    assert info.seq == 1
    client.collections.delete(name)


@pytest.mark.parametrize("odd", NAMES)
def test_any_honest_name_will_do(client: Client, odd: str) -> None:
    client.collections.create(odd, {odd: VectorParams(1)})
    try:
        client.points.upsert(odd, [PointStruct(1, {odd: [1]})])
        assert [hit.id for hit in client.points.search(odd, [1.0], using=odd)] == [1]
        assert odd in client.collections.list()
        with pytest.raises(headwater.CollectionAlreadyExistsError):
            client.collections.create(odd)
    finally:
        client.collections.delete(odd)
    assert not client.collections.exists(odd)


def test_names_are_listed_sorted_and_by_prefix(client: Client, name: str) -> None:
    names = [f"{name}{end}" for end in ("b", "a", "ä", "B", "a1")]
    for each in names:
        client.collections.get_or_create(each)
    assert client.collections.list(prefix=name) == sorted(names, key=str.encode)
    assert client.collections.list(prefix=f"{name}a") == [f"{name}a", f"{name}a1"]
    for each in names:
        assert client.collections.delete(each)
    assert client.collections.list(prefix=name) == []


def test_what_is_deleted_is_gone_and_its_name_is_free(client: Client, made: str) -> None:
    client.collections.create_alias(f"{made}!", made)
    assert client.collections.delete(made)
    assert not client.collections.exists(made)
    assert not client.collections.exists(f"{made}!"), "its aliases go with it"
    assert client.collections.delete(made, strict=False) is False
    for use in (client.collections.get_info, client.points.count, client.vde.get_stats, client.collections.delete):
        with pytest.raises(headwater.CollectionNotFoundError) as gone:
            use(made)
        assert gone.value.metadata["collection"] == made
    again = client.collections.create(made, VectorParams(1))
    assert (again.points_count, again.seq, list(again.vectors)) == (0, 0, [""])


def test_spaces_come_and_go_while_it_serves(client: Client, made: str) -> None:
    info = client.collections.update(
        made,
        add_vectors={"audio": VectorParams(1, Distance.Dot)},
        drop_vectors=["image"],
        update_vectors={"text": VectorParamsDiff(HnswConfigDiff(ef=300), Datatype.Float32)},
        optimizers_config=OptimizersConfig(77, auto_index=True),
    )
    assert info.vectors.keys() == {"text", "audio"}
    assert info.vectors["text"].params == VectorParams(
        2, Distance.Cosine, HnswConfigDiff(16, 200, 300), Datatype.Float32, IndexKind.Auto
    )
    assert info.optimizers_config == OptimizersConfig(77, auto_index=True)
    assert (info.vectors["text"].vectors_count, info.vectors["audio"].vectors_count) == (5, 0)
    with pytest.raises(headwater.SpaceNotFoundError):
        client.points.search(made, [1, 1, 1], using="image")
    assert all("image" not in record.vectors for record in client.points.get(made, range(5), with_vectors=True))
    client.points.update_vectors(made, [PointVectors(n, {"audio": [n]}) for n in range(3)])
    assert [hit.id for hit in client.points.search(made, [1.0], using="audio")] == [2, 1, 0]

    client.collections.update(made, add_vectors={"image": VectorParams(2)})
    assert client.points.search(made, [1, 1], using="image") == [], "a new space of an old name is empty"
    assert client.points.count(made, filter=has_vector("image")) == 0
    client.points.upsert(made, [PointStruct(9, {"image": [1, 1], "text": [1, 1], "audio": [1]})])
    assert [hit.id for hit in client.points.search(made, [1, 1], using="image")] == [9]


def test_all_spaces_may_go(client: Client, made: str) -> None:
    client.collections.update(made, drop_vectors=["text", "image"])
    assert client.points.count(made) == 5
    assert client.vde.get_vector_count(made) == 0
    with pytest.raises(headwater.AmbiguousSpaceError):
        client.points.search(made, [1.0])


def test_reads_and_writes_meet_schema_changes_with_typed_errors(client: Client, made: str) -> None:
    """While a space comes and goes, every call either answers or says that the space is not there."""
    stop, unexpected = threading.Event(), []

    def keep(use: Callable[[], Any]) -> None:
        while not stop.is_set():
            try:
                use()
            except (headwater.SpaceNotFoundError, headwater.DimensionMismatchError):
                pass
            except Exception as error:
                unexpected.append(error)
                return

    uses: list[Callable[[], Any]] = [
        lambda: client.collections.get_info(made),
        lambda: client.points.search(made, [1, 1, 1], using="image", with_vectors=True),
        lambda: client.points.upsert(made, [PointStruct(100, {"image": [1, 2, 3], "text": [1, 1]})]),
        lambda: client.points.set_payload(made, {"x": 1}, filter=has_vector("image")),
        lambda: client.vde.get_stats(made),
    ]
    threads = [threading.Thread(target=keep, args=(use,)) for use in uses]
    for thread in threads:
        thread.start()
    for turn in range(40):
        client.collections.update(made, drop_vectors=["image"])
        client.collections.update(made, add_vectors={"image": VectorParams(3 - turn % 2)})
    stop.set()
    for thread in threads:
        thread.join()
    assert unexpected == []


def test_an_alias_goes_everywhere(client: Client, made: str) -> None:
    alias = f"{made} alias"
    client.collections.create_alias(alias, made)
    info = client.collections.get_info(alias)
    assert (info.name, info.aliases) == (made, (alias,))
    assert client.collections.exists(alias)
    assert alias not in client.collections.list()
    client.points.upsert(alias, [PointStruct(50, {"text": [1, 1]}, {"a": 1})])
    client.points.set_payload(alias, {"b": 1}, [50])
    client.points.update_vectors(alias, [PointVectors(50, {"image": [1, 1, 1]})])
    assert client.points.count(alias) == client.points.count(made) == 6
    assert client.points.query(alias, [1, 1], using="text") == client.points.query(made, [1, 1], using="text")
    assert client.points.query_batch(alias, [{"limit": 1}]) == client.points.query_batch(made, [{"limit": 1}])
    assert client.points.scroll(alias) == client.points.scroll(made)
    assert client.points.get(alias, [50]) == client.points.get(made, [50])
    hits = client.points.query(made, 50, using="text", lookup_from=LookupFrom(collection=alias))
    assert 50 not in [hit.id for hit in hits]
    client.collections.update(alias, drop_vectors=["image"])
    assert client.vde.get_vector_count(alias) == 6
    assert client.vde.get_state(alias) == client.vde.get_state(made)
    assert client.points.delete(alias, [50]).affected == 1
    with pytest.raises(headwater.CollectionAlreadyExistsError):
        client.collections.create(alias)
    with pytest.raises(headwater.InvalidNameError):
        client.collections.delete(alias)
    assert client.points.count(made) == 5


def test_aliases_move_and_change_names_as_one(client: Client, made: str, name: str) -> None:
    other, first, second = f"{name} other", f"{name} 1", f"{name} 2"
    client.collections.create(other)
    client.collections.update_aliases([CreateAlias(first, made), CreateAlias(second, made)])
    assert [each.alias for each in client.collections.list_aliases(made)] == [first, second]
    client.collections.update_aliases([CreateAlias(first, other), DeleteAlias(second), RenameAlias(first, second)])
    assert [(each.alias, each.collection) for each in client.collections.list_aliases(other)] == [(second, other)]
    assert client.collections.list_aliases(made) == []
    with pytest.raises(headwater.AliasNotFoundError):
        client.collections.update_aliases([CreateAlias(first, made), DeleteAlias("nowhere")])
    assert not client.collections.exists(first), "all or nothing"
    for bad in (CreateAlias(made, other), RenameAlias(second, made)):
        with pytest.raises(headwater.CollectionAlreadyExistsError):
            client.collections.update_aliases([bad])
    with pytest.raises(headwater.CollectionNotFoundError):
        client.collections.create_alias(first, "nowhere")
    with pytest.raises(headwater.InvalidNameError):
        client.collections.create_alias("a/b", other)
    with pytest.raises(headwater.InvalidArgumentError):
        client.collections.update_aliases([])
    client.collections.rename_alias(second, first)
    client.collections.delete_alias(first)
    assert client.collections.list_aliases(other) == []
    client.collections.delete(other)


def test_many_make_one_collection_at_once(client: Client, name: str) -> None:
    found: list[Any] = []

    def make() -> None:
        found.append(client.collections.get_or_create(name, VectorParams(2)))

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [client.collections.get_info(name)] * 8
    client.collections.delete(name)


def test_an_alias_that_moves_is_always_there(client: Client, made: str, name: str) -> None:
    """Readers of an alias see the one collection or the other, whole, and never neither."""
    other, alias = f"{name} other", f"{name} alias"
    client.collections.create(other, {"text": VectorParams(2)})
    client.points.upsert(other, [PointStruct(n, {"text": [1, 1]}) for n in range(7)])
    client.collections.create_alias(alias, made)
    done, errors, seen = threading.Event(), [], set()

    def read() -> None:
        try:
            while not done.is_set():
                seen.add(client.points.count(alias))
                seen.add(len(client.points.search(alias, [1, 1], using="text")))
        except BaseException as error:
            errors.append(error)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for turn in range(100):
        client.collections.create_alias(alias, (other, made)[turn % 2])
    done.set()
    for reader in readers:
        reader.join()
    assert errors == []
    assert seen == {5, 7}
    client.collections.delete(other)


def test_calls_meet_deletion_and_creation_with_typed_errors(client: Client, name: str) -> None:
    """A name that is deleted and made again under load: an answer of the one or the other, or that there is none."""
    done, unexpected = threading.Event(), []
    gone = (headwater.CollectionNotFoundError, headwater.CollectionClosedError, headwater.ShuttingDownError)

    def keep(use: Callable[[], Any]) -> None:
        while not done.is_set():
            try:
                use()
            except gone:
                pass
            except Exception as error:
                unexpected.append(error)
                return

    client.collections.create(name, VectorParams(2))
    uses: list[Callable[[], Any]] = [
        lambda: client.points.upsert(name, [PointStruct(n, [n, 1]) for n in range(30)]),
        lambda: client.points.search(name, [1.0, 1.0], with_vectors=True),
        lambda: client.points.query_batch(name, [{"limit": 30}, {"query": [1, 1]}]),
        lambda: client.points.delete(name, filter=has_vector("")),
        lambda: client.collections.get_info(name),
        lambda: client.vde.get_stats(name),
    ]
    threads = [threading.Thread(target=keep, args=(use,)) for use in uses]
    for thread in threads:
        thread.start()
    for _ in range(30):
        assert client.collections.delete(name)
        client.collections.create(name, VectorParams(2), optimizers_config={"indexing_threshold": 20})
    done.set()
    for thread in threads:
        thread.join()
    assert unexpected == []
    client.collections.delete(name)
