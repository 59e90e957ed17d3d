"""A key with a filter reads and writes the points that match it, whatever it asks."""

import itertools
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import headwater
from headwater import Client, PermissionDeniedError, SparseVectorParams, VectorParams
from server.keys import hashed
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
    assert [record.id for record in mine.get("shop", [0, 1, 2, 3])] == [1, 3]
    assert {bucket.value for bucket in mine.facet("shop", "tenant")} == {"a"}
    assert [hit.id for hit in mine.search("shop", [1, 0], limit=10)] == MINE
    groups = mine.query_groups("shop", [1.0, 0.0], group_by="tenant", group_size=9)
    assert [group.value for group in groups] == ["a"]
    batch = mine.query_batch("shop", [{"query": [1.0, 0.0]}, {"query": [0.0, 1.0]}])
    assert {hit.id for hits in batch for hit in hits} == set(MINE)
    pairs = mine.search_matrix_pairs("shop", sample=10, limit=3)
    assert {each for pair in pairs for each in (pair.a, pair.b)} == set(MINE)


REFUSED: dict[str, Callable[[Client], object]] = {
    "the vector of another's point": lambda mine: mine.points.query("shop", 2),
    "an example of others": lambda mine: mine.points.query("shop", {"recommend": {"positive": [1, 2]}}),
    "an example of others below": lambda mine: mine.points.query("shop", {"fusion": "rrf"}, prefetch=[{"query": 2}]),
    "only points of others": lambda mine: mine.points.get("shop", [2]),
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
