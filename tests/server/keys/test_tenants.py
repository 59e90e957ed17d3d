"""A key with a filter reads and writes the points that match it, whatever it asks."""

import itertools
from collections.abc import Callable, Iterator

import grpc
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import headwater
from headwater import Client, PermissionDeniedError, SparseVectorParams, VectorParams
from headwater.v1 import common_pb2, filter_pb2, points_pb2, points_pb2_grpc
from server.keys import hashed
from server.keys.names import kinds_within
from server.keys.tenants import _NARROWERS
from tests.support.serving import serving

KEYS = f"""
[[key]]
name = "all"
scope = "admin"
sha256 = "{hashed("all")}"
[[key]]
name = "a"
scope = "write"
sha256 = "{hashed("a")}"
collections = ["shop"]
filter = 'tenant == "a"'
[[key]]
name = "reader"
scope = "read"
sha256 = "{hashed("reader")}"
filter = 'tenant == "a"'
"""
Stubs = points_pb2_grpc.PointsStub
MINE, THEIRS = [1, 3, 5, 7, 9], [0, 2, 4, 6, 8]
COUNTER = itertools.count(1_000)


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Client, Client]]:
    """A client that may do everything, and one of tenant a."""
    folder = tmp_path_factory.mktemp("tenants")
    (folder / "keys.toml").write_text(KEYS)
    with (
        serving(folder / "data", keys=folder / "keys.toml") as server,
        Client(server.address, api_key="all") as everything,
        Client(server.address, api_key="a") as mine,
    ):
        everything.collections.create(
            "shop",
            {"": VectorParams(2), "other": VectorParams(2)},
            sparse_vectors={"words": SparseVectorParams()},
            text_indexes={"title": {}},
        )
        everything.points.upsert("shop", [_point(number) for number in range(10)])
        yield everything, mine


@pytest.fixture(scope="module")
def stubs(clients: tuple[Client, Client]) -> Iterator[points_pb2_grpc.PointsStub]:
    """The RPCs of points, as they are; each call gives its key."""
    with grpc.insecure_channel(clients[0].target) as channel:
        yield points_pb2_grpc.PointsStub(channel)


def _point(number: int) -> dict[str, object]:
    angle = number / 10
    return {
        "id": number,
        "vectors": {
            "": [np.cos(angle), np.sin(angle)],
            "other": [np.sin(angle), np.cos(angle)],
            "words": {1: 1.0, number + 2: 2.0},
        },
        "payload": {"tenant": "a" if number in MINE else "b", "title": f"shoe {number}", "n": number},
    }


LEAF = st.fixed_dictionaries(
    {
        "query": st.sampled_from([[1.0, 0.0], [0.2, 0.9], {"sample": "random"}, {"order_by": "n"}, {"bm25": "shoe"}]),
        "limit": st.integers(1, 10),
    },
    optional={"filter": st.sampled_from(["n > 3", 'tenant == "b"', 'not (tenant == "a")', "n >= 0 or n < 0"])},
)
TREE = st.recursive(
    LEAF,
    lambda leaves: st.fixed_dictionaries(
        {
            "query": st.sampled_from([{"fusion": "rrf"}, {"fusion": "dbsf"}, [0.5, 0.5]]),
            "prefetch": st.lists(leaves, min_size=1, max_size=3),
            "limit": st.integers(1, 10),
        },
        optional={"filter": st.sampled_from(["n > 3", 'tenant == "b"'])},
    ),
    max_leaves=4,
)


@given(tree=TREE)
def test_no_query_finds_a_point_of_others(clients: tuple[Client, Client], tree: dict[str, object]) -> None:
    for hit in clients[1].points.query("shop", **tree):  # type: ignore[arg-type]
        assert hit.id in MINE


def test_a_query_of_a_tenant_is_that_of_a_collection_of_its_points(clients: tuple[Client, Client]) -> None:
    """The scores too: no point of others takes part in a fusion."""
    everything, mine = clients
    everything.collections.create("alone", {"": VectorParams(2), "other": VectorParams(2)})
    points = [_point(number) for number in MINE]
    for point in points:
        point["vectors"].pop("words")  # type: ignore[attr-defined]
    everything.points.upsert("alone", points)
    tree = {
        "query": {"fusion": "dbsf"},
        "prefetch": [{"query": [1.0, 0.0], "limit": 3}, {"query": [1.0, 0.0], "using": "other", "limit": 3}],
    }
    found = mine.points.query("shop", **tree)  # type: ignore[arg-type]
    expected = everything.points.query("alone", **tree)  # type: ignore[arg-type]
    assert [(hit.id, hit.score) for hit in found] == [(hit.id, hit.score) for hit in expected]


def test_reads_and_analyses(clients: tuple[Client, Client]) -> None:
    mine = clients[1].points
    assert [record.id for record in mine.scroll_all("shop", batch_size=2)] == MINE
    assert mine.count("shop") == len(MINE)
    assert mine.count("shop", filter='tenant == "b"') == 0
    assert {bucket.value for bucket in mine.facet("shop", "tenant")} == {"a"}
    assert [hit.id for hit in mine.search("shop", [1, 0], limit=10)] == MINE
    groups = mine.query_groups("shop", [1.0, 0.0], group_by="tenant", group_size=9)
    assert [group.value for group in groups] == ["a"]
    batch = mine.query_batch("shop", [{"query": [1.0, 0.0]}, {"query": [0.0, 1.0]}])
    assert {hit.id for hits in batch for hit in hits} == set(MINE)
    pairs = mine.search_matrix_pairs("shop", sample=10, limit=3)
    assert {each for pair in pairs for each in (pair.a, pair.b)} == set(MINE)


def test_points_of_others_are_missing_like_those_that_are_not_there(clients: tuple[Client, Client]) -> None:
    mine = clients[1].points
    got = mine.get("shop", [2, 3, 1, 77, 3], with_payload=["n"], with_vectors=["other"])
    assert [(record.id, record.payload) for record in got] == [(3, {"n": 3}), (1, {"n": 1}), (3, {"n": 3})]
    assert all(set(record.vectors) == {"other"} for record in got)
    everything = clients[0].points.get("shop", [3, 1, 3], with_payload=["n"], with_vectors=["other"])
    assert [repr(record) for record in got] == [repr(record) for record in everything]
    assert list(mine.get("shop", [2, 77])) == []
    with pytest.raises(headwater.InvalidArgumentError, match="ids"):
        mine.get("shop", [])


def test_cursors_of_other_keys_give_own_points(clients: tuple[Client, Client], stubs: Stubs) -> None:
    scroll = points_pb2.PointsScrollRequest(collection_name="shop", limit=1, cursor_ttl_seconds=60)
    scrolled = stubs.Scroll(scroll, metadata=[("api-key", "all")])
    scroll = points_pb2.PointsScrollRequest(collection_name="shop", limit=100, cursor=scrolled.cursor)
    assert [point.id.number for point in stubs.Scroll(scroll, metadata=[("api-key", "a")]).points] == MINE
    scroll = points_pb2.PointsScrollRequest(collection_name="shop", limit=1)
    assert stubs.Scroll(scroll, metadata=[("api-key", "a")]).next_offset.number == MINE[1]
    query = points_pb2.PointsQueryRequest(collection_name="shop", limit=1, cursor_ttl_seconds=60)
    query.query.nearest.vector.dense.values.extend([1, 0])
    cursor = stubs.Query(query, metadata=[("api-key", "all")]).cursor
    query.ClearField("cursor_ttl_seconds")
    query.cursor, query.limit = cursor, 100
    found = stubs.Query(query, metadata=[("api-key", "a")]).result.points
    assert {point.id.number for point in found} == set(MINE)


def test_errors_in_a_filter_have_its_own_path(clients: tuple[Client, Client]) -> None:
    with pytest.raises(headwater.InvalidFilterError, match=r"^filter\.expression: "):
        clients[1].points.count("shop", filter="n >")


def test_no_clause_of_a_filter_widens_it(clients: tuple[Client, Client], stubs: Stubs) -> None:
    other = filter_pb2.Condition(has_id=common_pb2.PointIdList(ids=[common_pb2.PointId(number=2)]))
    for filter in (
        filter_pb2.Filter(should=[other]),
        filter_pb2.Filter(min_should=filter_pb2.MinShould(conditions=[other], min_count=1)),
        filter_pb2.Filter(must=[other]),
        filter_pb2.Filter(expression="$id == 2"),
        filter_pb2.Filter(must_not=[filter_pb2.Condition(filter=filter_pb2.Filter(expression='tenant == "b"')), other]),
    ):
        request = points_pb2.PointsCountRequest(collection_name="shop", filter=filter)
        own = stubs.Count(request, metadata=[("api-key", "a")]).count
        assert own == (len(MINE) if filter.must_not else 0)


def test_points_that_are_there_stay_when_only_new_ones_are_inserted(clients: tuple[Client, Client]) -> None:
    new = next(COUNTER)
    written = clients[1].points.upsert("shop", [{**_point(1), "id": new}, {**_point(1), "id": 2}], mode="insert_only")
    assert (written.affected, written.skipped) == (1, 1)
    assert clients[0].points.get("shop", [2])[0].payload["tenant"] == "b"
    clients[0].points.delete("shop", [new])


def test_every_way_to_name_a_point_is_known() -> None:
    """A new one in what a key with a filter may ask must be checked, too: see _points_named."""
    naming = {
        f"{kind.name}.{field.name}"
        for method in _NARROWERS
        for kind in kinds_within(points_pb2.DESCRIPTOR.services_by_name["Points"].methods_by_name[method].input_type)
        for field in kind.fields
        if field.message_type is not None and field.message_type.name == "PointId"
    }
    assert naming == {
        "PointIdList.ids",  # of a filter, or of a selector beside a condition
        "PointStruct.id",  # of an upsert with a condition
        "PointVectors.id",  # of an update with a condition
        "PointsGetRequest.ids",  # read with the filter
        "PointsScrollRequest.offset",  # where to begin
        "SearchAfter.id",  # where to begin
        "VectorInput.id",  # looked up before
    }


REFUSED: dict[str, Callable[[Client], object]] = {
    "the vector of another's point": lambda mine: mine.points.query("shop", 2),
    "an example of others": lambda mine: mine.points.query("shop", {"recommend": {"positive": [1, 2]}}),
    "an example of others below": lambda mine: mine.points.query("shop", {"fusion": "rrf"}, prefetch=[{"query": 2}]),
    "explain": lambda mine: mine.points.query("shop", [1.0, 0.0], explain=True),
    "the plan": lambda mine: mine.points.explain("shop", [1.0, 0.0]),
    "why": lambda mine: mine.points.explain_point("shop", 2, [1.0, 0.0]),
    "a point of others": lambda mine: mine.points.upsert("shop", [_point(2)]),
    "a point of nobody": lambda mine: mine.points.upsert("shop", [{"id": 99, "vector": [1, 0]}]),
    "payload": lambda mine: mine.points.set_payload("shop", {"tenant": "b"}, [1]),
    "a batch": lambda mine: mine.points.update_batch("shop", [headwater.DeletePoints(ids=[2])]),
    "a snapshot": lambda mine: mine.vde.create_snapshot("shop"),
    "statistics": lambda mine: mine.vde.get_stats("shop"),
    "a sample": lambda mine: mine.vde.sample_vectors("shop", 3),
    "recall": lambda mine: mine.vde.evaluate_recall("shop"),
    "a clone": lambda mine: mine.vde.clone_collection("shop", "copy"),
    "another collection": lambda mine: mine.points.count("alone"),
    "vectors of another collection": lambda mine: mine.points.query("shop", 1, lookup_from={"collection": "alone"}),
    "the whole collection": lambda mine: mine.collections.delete("shop"),
    "what it is made of": lambda mine: mine.collections.get_info("shop"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_would_reach_other_points_is_refused(clients: tuple[Client, Client], what: str) -> None:
    with pytest.raises(PermissionDeniedError):
        REFUSED[what](clients[1])
    assert clients[0].points.count("shop", filter='tenant == "b"') == len(THEIRS)


def test_writes_reach_own_points_only(clients: tuple[Client, Client]) -> None:
    everything, mine = clients
    new = next(COUNTER)
    written = mine.points.upsert("shop", [{**_point(1), "id": new}])
    assert written.affected == 1
    over = mine.points.upsert("shop", [{**_point(1), "id": 2}])
    assert (over.affected, over.skipped) == (0, 1)
    assert mine.points.delete("shop", [new, 2]).affected == 1
    assert mine.points.delete("shop", filter="n >= 0").affected == len(MINE)
    assert everything.points.count("shop") == len(THEIRS)
    everything.points.upsert("shop", [_point(number) for number in range(10)])


def test_a_known_request_of_another_key_is_no_way_around(clients: tuple[Client, Client]) -> None:
    """Requests of one shape are read without their messages; the key decides first."""
    everything, mine = clients
    for _ in range(5):
        assert len(everything.points.search("shop", [1, 0], limit=10)) == 10
        assert [hit.id for hit in mine.points.search("shop", [1, 0], limit=10)] == MINE
        assert len(everything.points.query("shop", [1.0, 0.0], limit=10)) == 10
        assert [hit.id for hit in mine.points.query("shop", [1.0, 0.0], limit=10)] == MINE


def test_aliases_reach_no_further_than_their_collection(clients: tuple[Client, Client]) -> None:
    everything, mine = clients
    everything.collections.create("hidden", VectorParams(2))
    everything.collections.create_alias("shop-alias", "hidden")
    everything.collections.create_alias("other-alias", "shop")
    assert mine.points.count("other-alias") == len(MINE)
    with pytest.raises(PermissionDeniedError):
        mine.points.count("shop-alias")
    assert mine.collections.list() == ["shop"]
