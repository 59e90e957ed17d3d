"""Explanations through the client: why points are, or are not, in an answer; flags on every request; estimates."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import headwater
from headwater import (
    AbsenceReason,
    Client,
    Distance,
    FailedCondition,
    Field,
    FilterScope,
    Fusion,
    PointStruct,
    PrefetchQuery,
    Rrf,
    SearchParams,
    VectorParams,
    has_id,
)

COUNT = 300
SIZE = 32


@pytest.fixture(scope="module")
def line(client: Client) -> Iterator[str]:
    """Points on a line: `line` holds (n, 1); two in three have (n, 0) in `other`."""
    name = "explained"
    client.collections.create(name, {"line": VectorParams(2, Distance.Euclid), "other": VectorParams(2, Distance.Dot)})
    client.points.upsert(
        name,
        [
            PointStruct(n, {"line": [n, 1]} | ({"other": [n, 0]} if n % 3 else {}), {"n": n, "even": n % 2 == 0})
            for n in range(COUNT)
        ],
    )
    yield name
    client.collections.delete(name)


def test_a_returned_point(client: Client, line: str) -> None:
    hits = client.points.query(line, [10, 1], using="line", limit=3)
    point = client.points.explain_point(line, 11, [10, 1], using="line", limit=3)
    assert (point.id, point.exists, point.returned, point.reason) == (11, True, True, None)
    (stage,) = point.stages
    assert (stage.stage, stage.operator, stage.reason) == ("root", "search", None)
    assert (stage.rank, stage.score, stage.candidates) == (3, hits[2].score, 3)
    assert str(point).startswith("11 is in the answer: rank 3 of 3 by score 1.")


def test_reasons_by_stage(client: Client, line: str) -> None:
    prefetch = [
        PrefetchQuery([10, 1], "line", limit=5),
        PrefetchQuery(42, "line", filter=Field("n").gt(20) & Field("even").eq(True), limit=20),
        PrefetchQuery([1, 0], "other", limit=100, score_threshold=250),
    ]
    points = client.points.explain_points(
        line, [10, 42, 45, 240, 244, "nobody"], Rrf(), prefetch=prefetch, limit=50, filter=~has_id([10])
    )
    assert [point.reason for point in points] == [
        AbsenceReason.Filtered,
        AbsenceReason.NotInPrefetches,
        AbsenceReason.NotInPrefetches,
        AbsenceReason.NotInPrefetches,
        AbsenceReason.NotInPrefetches,
        AbsenceReason.NotStored,
    ]
    ten, own, odd, lacking, low, missing = points
    assert ten.stages[0].failed_conditions == (FailedCondition("filter.must_not[0]", "not id in [10]"),)
    assert (ten.stages[0].rank, ten.stages[1].rank, ten.stages[1].score) == (1, 1, 0)
    assert own.stages[2].reason is AbsenceReason.Example
    assert [(each.path, each.condition) for each in odd.stages[2].failed_conditions] == [
        ("prefetch[1].filter.must[1]", "even = true")
    ]
    assert (odd.stages[1].rank, odd.stages[1].candidates) == (36 + 10, COUNT)
    assert lacking.stages[3].reason is AbsenceReason.NoVector
    assert (low.stages[3].reason, low.stages[3].rank, low.stages[3].score) == (AbsenceReason.Threshold, 38, 244)
    assert (missing.exists, missing.stages) == (False, ())
    assert "there is no such point" in missing.verdict
    assert all(str(point).splitlines()[0] == point.verdict for point in points)


def test_a_filter_that_is_pushed_down(client: Client, line: str) -> None:
    point = client.points.explain_point(
        line,
        7,
        Fusion.RRF,
        prefetch=[PrefetchQuery([7, 1], "line")],
        filter=Field("n").lt(5),
        filter_scope=FilterScope.PushDown,
    )
    assert point.stages[1].failed_conditions == (FailedCondition("filter.must[0]", "n < 5"),)


@pytest.fixture(scope="module")
def indexed(client: Client) -> Iterator[str]:
    """Random vectors, all but the last few of them in a graph."""
    name = "explained graph"
    vectors = np.random.default_rng(3).standard_normal((COUNT, SIZE)).astype(np.float32)
    config = headwater.OptimizersConfig(indexing_threshold=COUNT - 20)
    client.collections.create(name, VectorParams(SIZE), optimizers_config=config)
    client.points.upsert(name, [PointStruct(n, vectors[n].tolist()) for n in range(COUNT - 10)])
    client.vde.optimize(name, wait=True)
    client.points.upsert(name, [PointStruct(n, vectors[n].tolist()) for n in range(COUNT - 10, COUNT)])
    yield name
    client.collections.delete(name)


def test_what_only_an_exact_search_would_find(client: Client, indexed: str) -> None:
    """Whatever the graph misses of the true answer is said to be missed, with its true rank; the tail is not."""
    missed = 0
    for seed in range(8):
        vector = np.random.default_rng(100 + seed).standard_normal(SIZE).astype(np.float32)
        exact = client.points.search(indexed, vector, limit=20, params=SearchParams(exact=True))
        for params, reasons in (
            (SearchParams(hnsw_ef=1), {AbsenceReason.NotFoundByIndex}),
            (SearchParams(indexed_only=True), {AbsenceReason.NotIndexed, AbsenceReason.NotFoundByIndex}),
        ):
            found = {hit.id for hit in client.points.search(indexed, vector, limit=20, params=params)}
            lost = [(rank, hit) for rank, hit in enumerate(exact, 1) if hit.id not in found]
            if not lost:
                continue
            points = client.points.explain_points(indexed, [hit.id for _, hit in lost], vector, limit=20, params=params)
            for (rank, hit), point in zip(lost, points, strict=True):
                assert point.reason in reasons
                assert (point.reason is AbsenceReason.NotIndexed) == (
                    params.indexed_only is True and int(hit.id) >= COUNT - 10
                )
                assert (point.stages[0].rank, point.stages[0].score) == (rank, hit.score)
            missed += len(lost)
    assert missed > 0


def test_bad_requests(client: Client, line: str) -> None:
    def field(error: pytest.ExceptionInfo[headwater.InvalidArgumentError]) -> list[str]:
        return [violation.field for violation in error.value.field_violations]

    with pytest.raises(headwater.InvalidArgumentError) as none:
        client.points.explain_points(line, [], [1, 1], using="line")
    assert field(none) == ["ids"]
    with pytest.raises(headwater.LimitExceededError, match="MAX_EXPLAINED") as many:
        client.points.explain_points(line, range(101), [1, 1], using="line")
    assert field(many) == ["ids"]
    with pytest.raises(headwater.InvalidPointIdError) as empty:
        client.points.explain_points(line, [1, ""], [1, 1], using="line")
    assert field(empty) == ["ids[1]"]
    with pytest.raises(headwater.DimensionMismatchError) as short:
        client.points.explain_point(line, 1, [1], using="line")
    assert field(short) == ["query.query.nearest"]
    with pytest.raises(headwater.CollectionNotFoundError):
        client.points.explain_point("nowhere", 1, [1, 1])
    with pytest.raises(headwater.PointNotFoundError):
        client.points.explain_point(line, 1, 10**6, using="line")


def test_every_request_may_ask_for_an_explanation(client: Client, line: str) -> None:
    search: dict[str, Any] = {"vector": [10, 1], "using": "line", "limit": 3}
    query: dict[str, Any] = {"query": [10, 1], "using": "line", "limit": 3}
    alone = [client.points.search(line, **search, explain=True), client.points.query(line, **query, explain=True)]
    batches = [
        *client.points.search_batch(line, [search, search | {"explain": True}]),
        *client.points.query_batch(line, [query, query | {"explain": True}]),
    ]
    assert [hits.explanation is not None for hits in batches] == [False, True, False, True]
    for hits in (*alone, batches[1], batches[3]):
        assert hits.explanation is not None
        assert [(hit.id, hit.stages[0].rank, hit.stages[0].score) for hit in hits.explanation.hits] == [
            (hit.id, rank, hit.score) for rank, hit in enumerate(hits, 1)
        ]


def test_points_that_come_and_go(client: Client, name: str) -> None:
    client.collections.create(name, VectorParams(2))
    assert client.points.explain_point(name, 1, [1, 0]).reason is AbsenceReason.NotStored
    client.points.upsert(name, [PointStruct(1, [1, 0]), PointStruct("b")])
    assert client.points.explain_point(name, 1, [1, 0]).returned
    assert client.points.explain_point(name, "b", [1, 0]).reason is AbsenceReason.NoVector
    assert client.points.explain_point(name, "b", limit=1).stages[0].rank == 2
    client.points.delete(name, [1])
    gone = client.points.explain_points(name, [1, 1, "b"])
    assert [(point.id, point.exists, point.returned) for point in gone] == [(1, False, False)] * 2 + [("b", True, True)]
    client.collections.delete(name)
