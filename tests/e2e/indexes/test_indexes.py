"""Indexes of payload properties with vectors from outside, over the wire."""

import asyncio
import itertools
import math
import random
import threading
from pathlib import Path
from typing import Any

import pytest

from headwater import (
    AmbiguousIndexError,
    AsyncClient,
    Client,
    CollectionNotFoundError,
    CollectionState,
    DimensionMismatchError,
    Distance,
    EmbedderNotConfiguredError,
    EmptyVectorError,
    Field,
    Index,
    IndexAlreadyExistsError,
    IndexNotFoundError,
    IndexSource,
    IndexStatus,
    InvalidArgumentError,
    InvalidLimitError,
    NotFiniteError,
    PointNotFoundError,
    PointStruct,
    ReadyPolicy,
    ScoreMode,
    SpaceAlreadyExistsError,
    SpaceNotFoundError,
    Text,
    VectorParams,
    has_id,
)
from tests.support.serving import serving

ALPHA = {
    "Alpha": [1.0, 0.0, 0.0],
    "Beta": [0.0, 1.0, 0.0],
    "Gamma": [0.7, 0.7, 0.0],
}


@pytest.fixture
def label(client: Client, name: str) -> str:
    """A collection with three records that have a `description`, and one that has none."""
    client.collections.create(name)
    records = [{"name": each, "description": f"about {each}"} for each in ALPHA]
    client.records.create_many(name, [*records, {"name": "Delta"}], ids=[1, 2, 3, 4])
    return name


def make(client: Client, label: str, **changed: Any) -> Index:
    arguments = {"property_name": "description", "source_type": "external", "dimensions": 3, **changed}
    return client.indexes.create(label=label, **arguments)


def items(*ids: int) -> dict[str, Any]:
    vectors = list(ALPHA.values())
    return {"items": [{"recordId": point_id, "vector": vectors[point_id - 1]} for point_id in ids]}


def test_the_worked_example(client: Client, label: str) -> None:
    """Create, write three vectors, search: the same one is first, with a score of 1."""
    index = client.indexes.create(
        {
            "label": label,
            "propertyName": "description",
            "sourceType": "external",
            "similarityFunction": "cosine",
            "dimensions": 3,
        }
    )
    assert (index.status, index.source_type, index.dimensions) == ("awaiting_vectors", "external", 3)
    assert (index.label, index.property_name, index.similarity_function) == (label, "description", Distance.Cosine)
    written = client.indexes.upsert_vectors(index.id, items(1, 2, 3))
    assert (written.updated, written.requested, written.unchanged) == (3, 3, 0)
    assert client.indexes.get(index.id).status == IndexStatus.READY
    hits = client.indexes.search(
        {"labels": [label], "propertyName": "description", "queryVector": ALPHA["Alpha"], "limit": 3}
    )
    assert [(hit.label, hit.id) for hit in hits] == [(label, 1), (label, 3), (label, 2)]
    assert hits[0].score == pytest.approx(1)
    assert hits[0].data == {"name": "Alpha", "description": "about Alpha"}
    assert hits.coverage == 1
    assert client.points.query(label, ALPHA["Alpha"], using=index.space, limit=3) == [hit.point for hit in hits]


def test_an_index_is_as_ready_as_its_policy_says(client: Client, label: str) -> None:
    first = make(client, label)
    full = make(client, label, dimensions=4, ready_policy="full_coverage")
    assert (first.ready_policy, full.ready_policy) == (ReadyPolicy.FIRST_VECTOR, ReadyPolicy.FULL_COVERAGE)
    for index in (first, full):
        stats = client.indexes.stats(index)
        assert (stats.total, stats.indexed, stats.pending) == (3, 0, 3)
    for point_id, last in ((1, False), (2, False), (3, True)):
        client.indexes.upsert_vectors(first, [(point_id, [1, 0, 0])])
        client.indexes.upsert_vectors(full, [(point_id, [1, 0, 0, 0])])
        assert client.indexes.get(first).status == "ready"
        assert client.indexes.get(full).status == ("ready" if last else "awaiting_vectors")
    assert client.indexes.stats(full.id).coverage == 1
    client.records.create(label, {"description": "one more"})
    assert [client.indexes.get(each).status for each in (first, full)] == ["ready", "awaiting_vectors"]
    client.points.delete(label, ids=[1, 2, 3])
    assert client.indexes.get(first).status == "awaiting_vectors"


def test_a_record_with_a_vector_counts_without_the_property(client: Client, label: str) -> None:
    index = make(client, label)
    client.indexes.upsert_vectors(index, [(4, [1, 0, 0])])
    stats = client.indexes.stats(index)
    assert (stats.total, stats.indexed, stats.pending) == (4, 1, 3)


def test_counts_follow_every_write(client: Client, label: str) -> None:
    """Against a recount of all records after each write."""
    index, rng = make(client, label), random.Random(11)
    for number in range(80):
        point_id = rng.randrange(1, 12)
        value = rng.choice(["x", "", None, [], ["y"], 5, {"a": 1}])
        match rng.randrange(5):
            case 0:
                client.points.upsert(label, [PointStruct(point_id, {}, {"description": value})])
            case 1:
                client.points.upsert(label, [PointStruct(point_id, {index.space: [1, 2, number]}, {})])
            case 2:
                client.points.set_payload(label, {"description": value}, filter=has_id([point_id]))
            case 3:
                client.points.delete(label, ids=[point_id])
            case _:
                client.points.delete_vectors(
                    label, [index.space], ids=[point.id for point in client.records.find(label)][:1]
                )
        points = [*client.points.scroll_all(label, with_vectors=True)]
        with_vector = {point.id for point in points if point.vectors}
        wanted = {point.id for point in points if (point.payload or {}).get("description") not in (None, "", [])}
        stats = client.indexes.stats(index)
        assert (stats.total, stats.indexed) == (len(wanted | with_vector), len(with_vector))


def test_closed_collections_are_left_closed(client: Client, label: str) -> None:
    index = make(client, label)
    client.vde.close(label)
    assert index.id not in {each.id for each in client.indexes.list()}
    assert client.vde.get_state(label).state is CollectionState.CLOSED
    assert client.indexes.get(index).id == index.id


def test_indexes_are_alike_only_if_all_five_are(client: Client, label: str) -> None:
    other = f"{label} other"
    client.collections.create(other)
    index = make(client, label)
    fields: list[dict[str, Any]] = [
        {"label": other},
        {"property_name": "name"},
        {"similarity_function": "euclidean"},
        {"similarity_function": Distance.Dot},
        {"dimensions": 4},
    ]
    for changed in fields:
        make(client, **{"label": label, **changed})
    others: list[dict[str, Any]] = [{}, {"using": "another"}, {"ready_policy": "full_coverage"}, {"source_type": None}]
    for changed in others:
        with pytest.raises(IndexAlreadyExistsError):
            make(client, label, **changed)
    assert len(client.indexes.list(label)) == 5
    assert len(client.indexes.list(label, property_name="description")) == 4
    assert {each.id for each in client.indexes.list(label)} < {each.id for each in client.indexes.list()}
    client.indexes.delete(index)
    again = make(client, label, source_type="EXTERNAL")
    assert again.id != index.id


def test_only_one_of_many_at_a_time_is_made(client: Client, label: str) -> None:
    made: list[Any] = []

    def attempt(number: int) -> None:
        try:
            made.append(make(client, label, using=f"space {number}"))
        except IndexAlreadyExistsError as error:
            made.append(error)

    threads = [threading.Thread(target=attempt, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(type(each).__name__ for each in made) == ["Index", *["IndexAlreadyExistsError"] * 5]


def test_an_index_that_is_deleted_is_gone_at_once(client: Client, label: str) -> None:
    index = make(client, label)
    client.indexes.upsert_vectors(index, items(1, 2))
    assert client.indexes.delete(index.id).id == index.id
    assert client.indexes.list(label) == []
    assert index.space not in client.collections.get_info(label).vectors
    for call in (client.indexes.get, client.indexes.delete, client.indexes.stats, client.indexes.rearm):
        with pytest.raises(IndexNotFoundError):
            call(index.id)
    with pytest.raises(IndexNotFoundError):
        client.indexes.upsert_vectors(index.id, items(1))
    with pytest.raises(IndexNotFoundError):
        client.indexes.search(labels=[label], property_name="description", query_vector=[1, 0, 0])
    assert client.points.count(label) == 4


def test_a_space_that_is_dropped_takes_its_index_along(client: Client, label: str) -> None:
    index = make(client, label)
    client.collections.update(label, drop_vectors=[index.space])
    with pytest.raises(IndexNotFoundError):
        client.indexes.get(index)


@pytest.mark.parametrize("index_id", ["", "x", "-", "a-1", "1" * 32 + "-1", "ä-ö", "a" * 10_000])
def test_an_id_of_no_index(client: Client, index_id: str) -> None:
    with pytest.raises(IndexNotFoundError):
        client.indexes.get(index_id)


def test_the_space_may_be_named(client: Client, label: str) -> None:
    assert make(client, label, using="meaning").space == "meaning"
    with pytest.raises(SpaceAlreadyExistsError):
        make(client, label, using="meaning", dimensions=5)


def test_names_of_spaces_do_not_collide(client: Client, label: str) -> None:
    client.collections.update(label, add_vectors={"description.external.cosine.3": VectorParams(2)})
    assert make(client, label).space == "description.external.cosine.3-2"


def test_a_property_of_any_name(client: Client, label: str) -> None:
    for path in ('"a/b"', "a.b", "é" * 200, "tags[]"):
        index = make(client, label, property_name=path)
        assert client.indexes.get(index).property_name == path


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"dimensions": None}, "dimensions"),
        ({"dimensions": 0}, "dimensions"),
        ({"dimensions": 65_537}, "dimensions"),
        ({"property_name": ""}, "property_name"),
        ({"property_name": "a..b"}, "property_name"),
        ({"similarity_function": "manhattan"}, "similarity"),
        ({"using": "a/b"}, "space"),
    ],
)
def test_an_index_that_cannot_be(client: Client, label: str, arguments: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidArgumentError) as raised:
        make(client, label, **arguments)
    assert raised.value.field == field
    assert client.indexes.list(label) == []


def test_an_index_of_nothing(client: Client, label: str, name: str) -> None:
    with pytest.raises(CollectionNotFoundError):
        make(client, f"{name} none")
    with pytest.raises(EmbedderNotConfiguredError, match="none in its settings"):
        make(client, label, source_type="managed", dimensions=None)
    with pytest.raises(EmbedderNotConfiguredError):
        make(client, label, embedder="nobody")
    for arguments in ({"source_type": "both"}, {"similarity_function": "near"}, {"ready_policy": "soon"}):
        with pytest.raises(ValueError, match=r"is not an IndexSource|is not a Distance|is not a ReadyPolicy"):
            make(client, label, **arguments)
    with pytest.raises(TypeError, match="dimension"):
        client.indexes.create({"label": label, "propertyName": "a", "dimension": 3})


# Writing


def test_writing_again_writes_nothing(client: Client, label: str) -> None:
    index = make(client, label)
    first = client.indexes.upsert_vectors(index, items(1, 2, 3))
    again = client.indexes.upsert_vectors(index, items(3, 1, 2))
    assert (again.updated, again.requested, again.unchanged, again.seq) == (3, 3, 3, first.seq)
    more = client.indexes.upsert_vectors(index, [(1, ALPHA["Alpha"]), (2, [5, 5, 5]), (2, [0, 0, 9])])
    assert (more.updated, more.requested, more.unchanged) == (2, 3, 1)
    assert client.points.get(label, [2], with_vectors=True)[0].vectors[index.space].tolist() == [0, 0, 9]


def test_minus_zero_is_another_vector(client: Client, label: str) -> None:
    index = make(client, label)
    client.indexes.upsert_vectors(index, [(1, [0.0, 1, 0])])
    assert client.indexes.upsert_vectors(index, [(1, [-0.0, 1, 0])]).unchanged == 0
    stored = client.points.get(label, [1], with_vectors=True)[0].vectors[index.space]
    assert math.copysign(1, stored[0]) == -1


def test_one_missing_record_leaves_all_as_it_was(client: Client, label: str) -> None:
    index = make(client, label)
    client.indexes.upsert_vectors(index, items(1))
    before = client.points.get(label, [1, 2, 3], with_vectors=True)
    with pytest.raises(PointNotFoundError, match="77, 'x'") as raised:
        client.indexes.upsert_vectors(index, [(1, [9, 9, 9]), (2, [1, 1, 1]), (77, [1, 1, 1]), ("x", [1, 1, 1])])
    assert raised.value.metadata["count"] == "2"
    after = client.points.get(label, [1, 2, 3], with_vectors=True)
    assert [(each.version, repr(each.vectors)) for each in after] == [
        (each.version, repr(each.vectors)) for each in before
    ]


@pytest.mark.parametrize(
    ("vector", "error"),
    [
        ([1, 2], DimensionMismatchError),
        ([], EmptyVectorError),
        ([1, math.nan, 1], NotFiniteError),
        ([1, math.inf, 1], NotFiniteError),
        (Text("words"), EmbedderNotConfiguredError),
    ],
)
def test_a_vector_that_cannot_be(client: Client, label: str, vector: Any, error: type[Exception]) -> None:
    index = make(client, label)
    with pytest.raises(error) as raised:
        client.indexes.upsert_vectors(index, [(1, [1, 0, 0]), (2, vector)])
    assert getattr(raised.value, "field", "") == "items[1].vector"
    assert client.indexes.stats(index).indexed == 0


def test_items_that_cannot_be(client: Client, label: str) -> None:
    index = make(client, label)
    with pytest.raises(InvalidArgumentError, match="at least one"):
        client.indexes.upsert_vectors(index, {"items": []})
    with pytest.raises(ValueError, match="recordId"):
        client.indexes.upsert_vectors(index, [{"id": 1, "vector": [1, 0, 0]}])
    with pytest.raises(TypeError, match="pair"):
        client.indexes.upsert_vectors(index, [1])


# Which index is meant


def test_writing_inline_means_one_index(client: Client, label: str) -> None:
    cosine, euclid = make(client, label), make(client, label, similarity_function="euclid")
    four = make(client, label, dimensions=4)
    given: dict[str, Any] = {"propertyName": "description", "vector": [1, 0, 0]}
    with pytest.raises(AmbiguousIndexError) as raised:
        client.records.create(label, {"description": "x"}, vectors=[given])
    assert raised.value.candidates == [cosine.id, euclid.id]
    assert raised.value.field == "records[0].vectors[0].property_name"
    assert client.points.count(label) == 4
    vectors = [
        {**given, "similarityFunction": "euclidean"},
        {"propertyName": "description", "vector": [1, 0, 0, 0]},
        {"using": cosine.space, "vector": [0, 0, 1]},
    ]
    record = client.records.create(label, {"description": "x"}, vectors=vectors)
    stored = client.points.get(label, [record.id], with_vectors=True)[0].vectors
    assert {space: row.tolist() for space, row in stored.items()} == {
        euclid.space: [1, 0, 0],
        four.space: [1, 0, 0, 0],
        cosine.space: [0, 0, 1],
    }


@pytest.mark.parametrize(
    ("vector", "error", "field"),
    [
        ({"propertyName": "color", "vector": [1, 0, 0]}, IndexNotFoundError, ""),
        ({"propertyName": "", "vector": [1, 0, 0]}, InvalidArgumentError, ".property_name"),
        ({"propertyName": "description", "vector": [1, 0]}, DimensionMismatchError, ".vector"),
        ({"propertyName": "description", "vector": []}, EmptyVectorError, ".vector"),
        ({"propertyName": "description", "vector": [1, 0, math.nan]}, NotFiniteError, ".vector"),
        ({"propertyName": "description", "vector": "words"}, EmbedderNotConfiguredError, ".vector"),
        (
            {"propertyName": "description", "vector": [1, 0, 0], "similarityFunction": "dot"},
            IndexNotFoundError,
            "",
        ),
        ({"using": "nowhere", "vector": [1, 0, 0]}, SpaceNotFoundError, ".using"),
    ],
)
def test_an_inline_vector_that_cannot_be(
    client: Client, label: str, vector: dict[str, Any], error: type[Exception], field: str
) -> None:
    make(client, label)
    rows = [{"n": 1}, {"n": 2}]
    with pytest.raises(error) as raised:
        client.records.create_many(label, rows, vectors=[[], [vector]])
    if field:
        assert getattr(raised.value, "field", "") == f"records[1].vectors[0]{field}"
    assert client.points.count(label) == 4


def test_one_space_takes_one_vector_of_a_record(client: Client, label: str) -> None:
    make(client, label)
    vector = {"propertyName": "description", "vector": [1, 0, 0]}
    with pytest.raises(InvalidArgumentError, match="another vector"):
        client.records.create(label, {}, vectors=[vector, vector])


def test_searching_means_one_index(client: Client, label: str) -> None:
    cosine, euclid = make(client, label), make(client, label, similarity_function="euclid")
    four = make(client, label, dimensions=4)
    for index, vector in ((cosine, [1, 0, 0]), (euclid, [2, 0, 0]), (four, [1, 0, 0, 1])):
        client.indexes.upsert_vectors(index, [(1, vector)])
    asked: dict[str, Any] = {"labels": [label], "property_name": "description", "query_vector": [1, 0, 0]}
    with pytest.raises(AmbiguousIndexError) as raised:
        client.indexes.search(**asked)
    assert raised.value.candidates == [cosine.id, euclid.id]
    assert client.indexes.search(**asked, similarity_function="cosine")[0].score == pytest.approx(1)
    assert client.indexes.search(**asked, similarity_function="euclidean")[0].score == pytest.approx(1)
    similar = client.indexes.search(**asked, similarity_function="euclid", score_mode=ScoreMode.Similarity)
    assert similar[0].score == pytest.approx(0.5)
    assert client.indexes.search(**{**asked, "query_vector": [1, 0, 0, 0]})[0].score == pytest.approx(0.5**0.5)
    assert client.indexes.search(labels=label, using=euclid.space, query_vector=[2, 0, 0])[0].score == 0
    with pytest.raises(DimensionMismatchError) as mismatch:
        client.indexes.search(**{**asked, "query_vector": [1, 0]})
    assert mismatch.value.field == "query_vector"
    with pytest.raises(IndexNotFoundError):
        client.indexes.search(**asked, source_type=IndexSource.MANAGED)
    with pytest.raises(EmbedderNotConfiguredError):
        client.indexes.search(labels=[label], property_name="description", query="words")


@pytest.mark.parametrize(
    ("changed", "error", "field"),
    [
        ({"labels": []}, InvalidArgumentError, "labels"),
        ({"labels": [*map(str, range(17))]}, InvalidArgumentError, "labels"),
        ({"limit": 0}, InvalidLimitError, "limit"),
        ({"limit": 10_001}, InvalidLimitError, "limit"),
        ({"query_vector": None}, InvalidArgumentError, "query"),
        ({"query_vector": []}, EmptyVectorError, "query_vector"),
        ({"query_vector": [0, 0, 0]}, InvalidArgumentError, "query_vector"),
        ({"query_vector": [1, math.nan, 0]}, NotFiniteError, "query_vector"),
        ({"property_name": None}, InvalidArgumentError, "property_name"),
        ({"where": "description ="}, InvalidArgumentError, "where.expression"),
    ],
)
def test_a_search_that_cannot_be(
    client: Client, label: str, changed: dict[str, Any], error: type[Exception], field: str
) -> None:
    make(client, label)
    asked = {"labels": [label], "property_name": "description", "query_vector": [1, 0, 0], **changed}
    with pytest.raises(error) as raised:
        client.indexes.search(**asked)
    assert getattr(raised.value, "field", "") == field


def test_a_text_and_a_vector_are_one_too_many(client: Client, label: str) -> None:
    with pytest.raises(ValueError, match="not both"):
        client.indexes.search(labels=label, property_name="description", query="a", query_vector=[1])


def test_searches_are_filtered_and_paged(client: Client, label: str) -> None:
    index = make(client, label)
    records = [{"description": "x", "n": number, "even": number % 2 == 0} for number in range(30)]
    made = client.records.create_many(label, records, ids=range(100, 130))
    client.indexes.upsert_vectors(index, [(each.id, [1, each.data["n"], 0]) for each in made])
    asked: dict[str, Any] = {"labels": label, "property_name": "description", "query_vector": [1, 0, 0]}
    everything = [hit.id for hit in client.indexes.search(**asked, limit=100)]
    assert everything == list(range(100, 130))
    assert [hit.id for hit in client.indexes.search(**asked)] == everything[:10]
    for name in ("skip", "offset"):
        assert [hit.id for hit in client.indexes.search({name: 7}, **asked, limit=5)] == everything[7:12]
    even = client.indexes.search(**asked, where={"even": True, "n": {"$gte": 4, "$lt": 12}})
    assert [hit.id for hit in even] == [104, 106, 108, 110]
    assert client.indexes.search(**asked, where=Field("n").eq(7))[0].id == 107
    assert len(client.indexes.search(**asked, score_threshold=0.7)) == 2
    assert not client.indexes.search(**asked, with_payload=False)[0].data


def test_hits_of_several_labels_are_merged(client: Client, label: str) -> None:
    other = f"{label} other"
    client.collections.create(other)
    indexes = [make(client, each) for each in (label, other)]
    client.records.create_many(other, [{"description": "y"}] * 4, ids=[1, 2, 3, 4])
    client.indexes.upsert_vectors(indexes[0], [(1, [1, 0, 0]), (2, [1, 2, 0]), (3, [1, 4, 0])])
    client.indexes.upsert_vectors(indexes[1], [(1, [1, 1, 0]), (2, [1, 2, 0]), (3, [1, 3, 0])])
    asked: dict[str, Any] = {"labels": [label, other], "property_name": "description", "query_vector": [1, 0, 0]}
    hits = client.indexes.search(**asked)
    expected = [(label, 1), (other, 1), (label, 2), (other, 2), (other, 3), (label, 3)]
    assert [(hit.label, hit.id) for hit in hits] == expected
    assert [stats.index_id for stats in hits.stats] == [index.id for index in indexes]
    assert hits.coverage == 6 / 7
    for skip, limit in itertools.product(range(4), range(1, 4)):
        page = client.indexes.search(**asked, skip=skip, limit=limit)
        assert [(hit.label, hit.id) for hit in page] == expected[skip : skip + limit]
    client.indexes.delete(indexes[1])
    make(client, other, similarity_function="euclid")
    with pytest.raises(InvalidArgumentError, match="metrics"):
        client.indexes.search(**asked)


def test_an_empty_index_finds_nothing(client: Client, label: str) -> None:
    index = make(client, label)
    hits = client.indexes.search(labels=label, property_name="description", query_vector=[1, 0, 0])
    assert (hits, hits.coverage) == ([], 0)
    assert client.indexes.get(index).status == "awaiting_vectors"


def test_an_alias_is_a_label(client: Client, label: str) -> None:
    client.collections.create_alias(f"{label} alias", label)
    index = make(client, f"{label} alias")
    assert index.label == label
    with pytest.raises(IndexAlreadyExistsError):
        make(client, label)
    client.indexes.upsert_vectors(index, items(1))
    assert (
        client.indexes.search(labels=f"{label} alias", property_name="description", query_vector=[1, 0, 0])[0].id == 1
    )


def test_the_asyncio_client_too(address: str, label: str) -> None:
    async def run() -> Any:
        async with AsyncClient(address) as client:
            index = await client.indexes.create(label=label, property_name="name", dimensions=2)
            record = await client.records.create(
                label, {"name": "E"}, vectors=[{"property_name": "name", "vector": [1, 2]}]
            )
            hits = await client.indexes.search(labels=label, property_name="name", query_vector=[1, 2])
            return record, index, hits

    record, index, hits = asyncio.run(run())
    assert [hit.id for hit in hits] == [record.id]
    assert index.source_type == "external"


def test_indexes_survive_restarts_snapshots_and_clones(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as service, Client(service.address) as client:
        client.collections.create("a")
        client.records.create_many("a", [{"t": "x"}, {"t": "y"}], ids=[1, 2])
        made = client.indexes.create(label="a", property_name="t", dimensions=2, ready_policy="full_coverage")
        client.indexes.upsert_vectors(made, [(1, [1, 0]), (2, [0, 1])])
        client.vde.clone_collection("a", "b")
        snapshot = client.vde.create_snapshot("a")
        client.vde.restore_snapshot("a", snapshot.name, "c")
    with serving(tmp_path / "data") as service, Client(service.address) as client:
        indexes = {index.label: index for index in client.indexes.list()}
        assert indexes.keys() == {"a", "b", "c"}
        assert len({index.id for index in indexes.values()}) == 3
        assert indexes["a"].id == made.id
        for label, index in indexes.items():
            assert (index.status, index.ready_policy, index.space) == ("ready", "full_coverage", made.space)
            assert client.indexes.search(labels=label, property_name="t", query_vector=[0, 1])[0].id == 2
            client.indexes.upsert_vectors(index, [(1, [3, 4])])
        client.indexes.delete(indexes["b"])
        assert client.indexes.get(made.id).status == "ready"
