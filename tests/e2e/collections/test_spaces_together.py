"""One collection with spaces of every kind and texts: what serves all kinds does, and what cannot refuses by name."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import headwater
from headwater import (
    AbsenceReason,
    Bm25,
    Client,
    Distance,
    Field,
    Fusion,
    IvfConfig,
    LookupFrom,
    MultiVectorParams,
    PointStruct,
    PrefetchQuery,
    Rescore,
    SearchParams,
    SparseVectorParams,
    TextIndexParams,
    VectorParams,
)

WORDS = ("fox", "dog", "cat", "owl", "elk")
MAX_SIM = MultiVectorParams()
LEAVES: dict[str, dict[str, Any]] = {
    "bm25": {"query": Bm25("fox")},
    "sparse": {"query": {1: 1.0}, "using": "sparse"},
    "max_sim": {"query": [[1.0, 0.0], [0.0, 1.0]], "using": "multi"},
}
UNRANKED = {"bm25": "the query does not match its text in 'body'", "sparse": "it shares no index with the query"}


@pytest.fixture(scope="module")
def mixed(client: Client) -> Iterator[str]:
    name = "spaces of every kind"
    client.collections.create(
        name,
        {"dense": VectorParams(2, Distance.Dot), "multi": VectorParams(2, multivector_config=MAX_SIM)},
        sparse_vectors={"sparse": SparseVectorParams()},
        text_indexes={"body": TextIndexParams()},
    )
    points = []
    for key in range(20):
        vectors: dict[str, Any] = {"dense": [key, 1]}
        if key % 5 != 4:
            vectors |= {"sparse": {key % 3: 1.0 + key}, "multi": [[1, key], [key, 1]]}
        points.append(PointStruct(key, vectors, {"body": f"{WORDS[key % 5]} of {key}", "n": key % 4}))
    client.points.upsert(name, points)
    yield name
    client.collections.delete(name)


@pytest.mark.parametrize("operator", LEAVES)
def test_why_a_point_is_missing(client: Client, mixed: str, operator: str) -> None:
    found = client.points.query(mixed, **LEAVES[operator], limit=20)
    ranks = {hit.id: rank for rank, hit in enumerate(found, 1)}
    limited = {**LEAVES[operator], "limit": 2, "filter": Field("n").gte(0)}
    for point_id, told in enumerate(client.points.explain_points(mixed, range(20), **limited)):
        if ranks.get(point_id, 3) <= 2:
            assert told.reason is None
        elif point_id in ranks:
            assert told.reason == AbsenceReason.BeyondLimit
            assert f"rank {ranks[point_id]} of {len(found)}" in str(told)
        elif operator != "bm25" and point_id % 5 == 4:
            assert told.reason == AbsenceReason.NoVector
        else:
            assert told.reason == AbsenceReason.NotRanked
            assert UNRANKED[operator] in str(told)


def test_why_a_point_is_lost_in_a_second_stage(client: Client, mixed: str) -> None:
    every = PrefetchQuery([1, 0], using="dense", limit=20)
    for space, query in (("sparse", {1: 1.0}), ("multi", [[1.0, 0.0]])):
        told = client.points.explain_point(mixed, 4, query, using=space, prefetch=every)
        assert told.reason == AbsenceReason.NoVector
        assert f"it has no vector in '{space}'" in str(told)


def test_groups_have_highlights(client: Client, mixed: str) -> None:
    groups = client.points.query_groups(mixed, Bm25("fox", highlight=True), group_by="n", group_size=2)
    hits = {hit.id: hit for hit in client.points.query(mixed, Bm25("fox", highlight=True), limit=20)}
    assert len(groups) == 4
    for group in groups:
        for hit in group.points:
            assert hit.highlights == hits[hit.id].highlights
            assert hit.highlights[0].marked("<", ">").startswith("<fox> of")


def _import_from(client: Client, name: str, space: str) -> object:
    """Into a collection of lists, from a space of another."""
    lists = "lists for what is refused"
    client.collections.get_or_create(lists, VectorParams(2, index="ivf"))
    try:
        return client.vde.import_partition(lists, from_collection=name, from_using=space)
    finally:
        client.collections.delete(lists)


REFUSED: dict[str, Callable[[Client, str, str], object]] = {
    "search_matrix_pairs": lambda client, name, space: client.points.search_matrix_pairs(name, using=space),
    "search_matrix_offsets": lambda client, name, space: client.points.search_matrix_offsets(name, using=space),
    "sample_vectors": lambda client, name, space: client.vde.sample_vectors(name, 3, space),
    "import_partition": lambda client, name, space: client.vde.import_partition(name, [(1, None, [1, 0])], space),
    "from_using": lambda client, name, space: _import_from(client, name, space),
    "delete_partition": lambda client, name, space: client.vde.delete_partition(name, space),
    "evaluate_recall": lambda client, name, space: client.vde.evaluate_recall(name, using=space),
    "index": lambda client, name, space: client.indexes.search(
        {"labels": [name], "using": space, "queryVector": [1, 2]}
    ),
    "record": lambda client, name, space: client.records.create(
        name, {}, vectors=[{"propertyName": "x", "vector": [1, 2], "using": space}]
    ),
    "rescore": lambda client, name, space: client.points.query(name, Rescore([1, 2], "Cosine"), using=space),
    "lookup_from": lambda client, name, space: client.points.query(
        name, Rescore(1, "Cosine"), using="dense", lookup_from=LookupFrom(name, space)
    ),
}


@pytest.mark.parametrize("space", ["sparse", "multi"])
@pytest.mark.parametrize("what", REFUSED)
def test_what_is_for_dense_spaces_alone_says_so(client: Client, mixed: str, what: str, space: str) -> None:
    with pytest.raises(headwater.InvalidArgumentError) as raised:
        REFUSED[what](client, mixed, space)
    assert raised.value.field_violations
    said = str(raised.value)
    kind = "sparse" if space == "sparse" else "multi-vectors"
    assert f"the space '{space}' is" in said or what == "lookup_from"
    assert kind in said or (what == "lookup_from" and "matrix" in said)


def test_upkeep_of_a_sparse_space(client: Client, mixed: str) -> None:
    assert client.vde.prewarm(mixed, "sparse") == 0
    with pytest.raises(headwater.InvalidArgumentError, match="is sparse"):
        client.vde.trigger_rebuild(mixed, "sparse")
    with pytest.raises(headwater.SpaceNotFoundError):
        client.vde.prewarm(mixed, "nowhere")


@pytest.mark.parametrize("vector", [{1: 1.0}, [[1.0, 2.0]]])
def test_indexes_take_dense_vectors(client: Client, name: str, vector: Any) -> None:
    client.collections.create(name)
    client.indexes.create(label=name, property_name="x", external=True, dimensions=2)
    with pytest.raises(headwater.InvalidArgumentError, match="query_vector: an index takes dense vectors"):
        client.indexes.search({"labels": [name], "propertyName": "x", "queryVector": vector})
    with pytest.raises(headwater.InvalidArgumentError, match=r"vectors\[0\].vector: an index takes dense vectors"):
        client.records.create(name, {}, vectors=[{"propertyName": "x", "vector": vector}])
    assert client.points.count(name) == 0


def test_lists_serve_multi_vectors(client: Client, name: str) -> None:
    params = VectorParams(2, multivector_config=MAX_SIM, index="ivf", ivf_config=IvfConfig(lists=(32,)))
    client.collections.create(name, params, optimizers_config={"indexing_threshold": 200})
    client.points.upsert(name, [PointStruct(key, [[1, key / 100], [key / 100, 1]]) for key in range(300)])
    client.vde.optimize(name)
    every = SearchParams(ivf_nprobe=1_000)
    found = client.points.query(name, [[1.0, 0.2]], params=every, explain=True)
    one = client.points.query(name, [[1.0, 0.2]], params=SearchParams(ivf_nprobe=1), limit=3)
    assert {hit.id for hit in one} <= {hit.id for hit in found}
    assert found.explanation
    assert "tokens by ivf" in found.explanation.text
    assert "nprobe=1000" in found.explanation.text
    assert [hit.id for hit in found] == [
        hit.id for hit in client.points.query(name, [[1.0, 0.2]], params=SearchParams(exact=True))
    ]


def test_a_batch_of_every_kind_is_the_same_as_one_by_one(client: Client, mixed: str) -> None:
    leaves = [PrefetchQuery(**leaf, limit=9) for leaf in LEAVES.values()]
    queries: list[dict[str, Any]] = []
    for key in range(50):
        dense = PrefetchQuery([1, -key], using="dense", limit=9)
        again = [[1.0, 0.1], [0.5, float(key)]]
        fused = {"query": Fusion.RRF, "prefetch": [*leaves, dense]}
        reranked = {"query": again, "using": "multi", "prefetch": [PrefetchQuery(Fusion.DBSF, prefetch=leaves), dense]}
        queries.append(fused if key % 2 else reranked)
    batch = client.points.query_batch(mixed, queries)
    for asked, hits in zip(queries[:6], batch, strict=False):
        assert [(hit.id, hit.score) for hit in hits] == [
            (hit.id, hit.score) for hit in client.points.query(mixed, **asked)
        ]
