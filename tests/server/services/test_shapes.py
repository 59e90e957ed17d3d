"""Requests of a known shape are answered and refused like those that are converted afresh."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater._wire.queries import query_request
from headwater.v1 import points_pb2 as wire
from planner.query.metrics import Metric
from planner.query.query import (
    ByMetrics,
    Context,
    ContextPair,
    Discover,
    Mmr,
    Nearest,
    OrderBy,
    Query,
    QueryVector,
    Rank,
    Recommend,
    Rrf,
    Stage,
    StoredVector,
    WeightedMetric,
)
from planner.query.shape import ShapedQuery
from server.convert.queries import search_of
from server.convert.ranks import vector_input_of
from tests.support.client_queries import query_of
from tests.support.shaped_requests import Fixture, alike, outcome, search
from tests.support.worlds import open_database


@pytest.fixture(scope="module")
def fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fixture]:
    with open_database(tmp_path_factory.mktemp("shapes") / "data") as database:
        yield Fixture(database)


@pytest.mark.slow
@given(st.data())
def test_queries_of_a_known_shape(fixture: Fixture, data: st.DataObject) -> None:
    for request in alike(fixture.world, data):
        expected = outcome(fixture.afresh(), request)
        assert outcome(fixture.knowing, request) == expected
        assert outcome(fixture.knowing, request) == expected


@pytest.mark.slow
@given(st.data())
def test_batches_of_known_shapes(fixture: Fixture, data: st.DataObject) -> None:
    requests = alike(fixture.world, data) + alike(fixture.world, data)
    batch = wire.PointsQueryBatchRequest(collection_name="world", queries=requests)
    outcome(fixture.knowing, requests[0])
    assert outcome(fixture.knowing, batch) == outcome(fixture.afresh(), batch)


def test_searches_of_a_known_shape(fixture: Fixture) -> None:
    by_id = wire.PointsSearchRequest(collection_name="world", using="dot")
    by_id.vector.id.number = 7
    by_text = wire.PointsSearchRequest(collection_name="world", using="dot")
    by_text.vector.text.text = "red"
    elsewhere = wire.PointsSearchRequest(collection_name="world", using="dot", lookup_from={"using": "euclid"})
    elsewhere.vector.id.number = 7
    sparse = wire.PointsSearchRequest(collection_name="world", using="dot")
    sparse.vector.vector.sparse.indices.append(1)
    for request in (
        search([1, 2, 3], using="dot"),
        search([3, 2, 1], using="dot"),
        search([3, 2], using="dot"),
        search([], using="dot"),
        search([1, float("nan"), 1], using="dot"),
        search([3, 2, 1], using="dot", limit=1),
        search([3, 2, 1], using="dot", score_threshold=5),
        search([3, 2, 1], using="nowhere"),
        wire.PointsSearchRequest(collection_name="world", using="dot"),
        by_id,
        by_text,
        elsewhere,
        search([3, 2, 1], using="dot", lookup_from={"using": "euclid"}),
        sparse,
    ):
        expected = outcome(fixture.afresh(), request)
        assert [outcome(fixture.knowing, request) for _ in range(3)] == [expected] * 3


def test_a_known_shape_is_not_converted_again(fixture: Fixture) -> None:
    handlers, request = fixture.afresh(), search([1, 2, 3], using="dot")
    outcome(handlers, request)
    other = search([3, 2, 1], using="dot")
    known = handlers._shapes.read(other, "searches[1]")
    assert isinstance(known, ShapedQuery)
    assert known.whole() == search_of(search([3, 2, 1], using="dot"), "searches[1]")
    assert not other.vector.vector.dense.values


A, B, C, D = (QueryVector(np.array([number, 1, 1], np.float32)) for number in range(4))


@pytest.mark.parametrize(
    "rank",
    [
        Nearest(A),
        Nearest(StoredVector(7)),
        Nearest(A, Mmr()),
        Recommend((A, B), (C, D)),
        Discover(A, (ContextPair(B, C), ContextPair(D, A))),
        Context((ContextPair(A, B), ContextPair(C, D))),
        ByMetrics(A, Metric.DOT),
        ByMetrics(A, None, (WeightedMetric(Metric.DOT), WeightedMetric(Metric.EUCLID, 1.0, B))),
        OrderBy("a"),
        Rrf(),
    ],
    ids=lambda rank: type(rank).__name__,
)
def test_every_kind_of_query_has_shapes(fixture: Fixture, rank: Rank) -> None:
    using = None if isinstance(rank, OrderBy | Rrf) else "dot"
    leaf = Stage(query=Nearest(D), using="euclid")
    query = Query(root=Stage(query=rank, using=using, prefetch=(leaf, leaf)))
    handlers, request = fixture.afresh(), query_request(query_of(query), "world")
    assert isinstance(outcome(handlers, request), bytes)
    known = handlers._shapes.read(request, "")
    assert isinstance(known, ShapedQuery)
    assert known.whole() == query


def test_a_request_of_an_unknown_shape_keeps_its_vectors(fixture: Fixture) -> None:
    request, before = search([1, 2, 3], using="dot"), search([1, 2, 3], using="dot")
    fixture.afresh()._shapes.read(request, "")
    assert request == before
    assert vector_input_of(request.vector, request, "") == QueryVector(np.array([1, 2, 3], np.float32))
