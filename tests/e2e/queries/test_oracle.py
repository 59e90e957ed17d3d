"""Queries, scrolls and counts over the wire are the oracle's in ids, order and scores: single, in batches, async."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headwater import AsyncClient, Client, Hits, PayloadNotAskedFor, QueryRequest, VectorParams
from headwater._wire.queries import query_request
from headwater.v1 import points_pb2
from planner.query.filter import Filter
from planner.query.query import Query
from storage.schema import PointId
from tests.support.client_queries import DISTANCES, condition_of, points_of, query_of, text_indexes_of
from tests.support.ids import id_order
from tests.support.oracle import query as oracle
from tests.support.oracle.query import World
from tests.support.strategies import FILTERS, IDS, SIZES, queries, random_world
from tests.support.wire import Wire, submessages

WORLD_COUNT = 4
NUMBERS = st.integers(0, WORLD_COUNT - 1)


@dataclass(frozen=True)
class Stored:
    """Worlds, and the collections that hold them."""

    worlds: list[World]
    names: list[str]


@pytest.fixture(scope="module")
def stored(client: Client) -> Iterator[Stored]:
    worlds = [random_world(seed) for seed in range(WORLD_COUNT)]
    names = [f"oracle {number}" for number in range(WORLD_COUNT)]
    for name, world in zip(names, worlds, strict=True):
        spaces = {space: VectorParams(SIZES[space], DISTANCES[metric]) for space, metric in world.distances.items()}
        client.collections.create(name, spaces, text_indexes=text_indexes_of(world))
        points = points_of(world)
        client.points.upsert(name, points)
        client.points.delete(name, [point.id for point in points[::3]])
        client.points.upsert(name, points[::2])
        client.points.upsert(name, points[1::2])
    yield Stored(worlds, names)
    for name in names:
        client.collections.delete(name)


def ranking(hits: Hits) -> list[tuple[PointId, float]]:
    return [(hit.id, hit.score) for hit in hits]


def expected(world: World, query: Query) -> list[tuple[PointId, float]]:
    return [(point_id, float(score)) for point_id, score in oracle.answer(world, query)]


def asked_one_by_one(client: Client, name: str, requests: list[QueryRequest]) -> list[Hits]:
    fields = QueryRequest.__slots__
    return [client.points.query(name, **{each: getattr(request, each) for each in fields}) for request in requests]


@given(st.data(), NUMBERS)
def test_queries_are_the_oracles(client: Client, stored: Stored, data: st.DataObject, number: int) -> None:
    world, name = stored.worlds[number], stored.names[number]
    asked = data.draw(st.lists(queries(world), min_size=1, max_size=3))
    requests = [query_of(query) for query in asked]
    single = asked_one_by_one(client, name, requests)
    batch = client.points.query_batch(name, requests)
    for query, alone, together in zip(asked, single, batch, strict=True):
        assert ranking(alone) == expected(world, query)
        assert alone == together
        assert (alone.explanation is not None) == query.explain
        _check_fetched(world, query, alone)


def _check_fetched(world: World, query: Query, hits: Hits) -> None:
    for hit in hits:
        point = world.points[hit.id]
        selector = query.with_payload
        if selector is None:
            assert isinstance(hit.payload, PayloadNotAskedFor)
        elif selector.include is None and not selector.exclude:
            # As text, since 1, 1.0 and True are equal in Python.
            assert json.dumps(hit.payload, sort_keys=True) == json.dumps(point.payload, sort_keys=True)
        wanted = query.with_vectors
        names = (
            set() if wanted is None else set(point.vectors) & set(SIZES if wanted.include is None else wanted.include)
        )
        assert (hit.vectors or {}).keys() == names
        for name in names:
            np.testing.assert_array_equal((hit.vectors or {})[name], point.vectors[name], strict=True)


@given(st.data(), NUMBERS)
@settings(max_examples=30)
def test_batches_have_the_bytes_of_single_queries(wire: Wire, stored: Stored, data: st.DataObject, number: int) -> None:
    world, name = stored.worlds[number], stored.names[number]
    asked = data.draw(st.lists(queries(world).map(query_of), min_size=2, max_size=4))
    messages = [query_request(each) for each in asked]
    for message in messages:
        message.explain = False  # it tells times
    together = points_pb2.PointsQueryBatchRequest(collection_name=name, queries=messages)
    for message in messages:
        message.collection_name = name
    single = [submessages(wire.send(message), 1) for message in messages]
    assert [[result] for result in submessages(wire.send(together), 1)] == single


@given(st.data(), NUMBERS)
@settings(max_examples=15)
def test_the_async_client_answers_the_same(
    client: Client, address: str, stored: Stored, data: st.DataObject, number: int
) -> None:
    world, name = stored.worlds[number], stored.names[number]
    requests = data.draw(st.lists(queries(world).map(query_of), min_size=1, max_size=4))

    async def ask() -> tuple[list[Hits], list[Hits]]:
        fields = QueryRequest.__slots__
        async with AsyncClient(address) as other:
            calls = [
                other.points.query(name, **{each: getattr(request, each) for each in fields}) for request in requests
            ]
            return await asyncio.gather(*calls), await other.points.query_batch(name, requests)

    single, batch = asyncio.run(ask())
    assert single == batch == client.points.query_batch(name, requests)


@given(FILTERS, NUMBERS, st.integers(1, 6), st.none() | st.sampled_from(IDS))
def test_pages_and_counts_are_the_oracles(
    client: Client, stored: Stored, filter: Filter, number: int, limit: int, start: PointId | None
) -> None:
    name, condition = stored.names[number], condition_of(filter)
    ids = oracle.matching(stored.worlds[number], filter)
    assert client.points.count(name, filter=condition) == len(ids)
    found: list[PointId] = []
    offset = start
    while True:
        page, offset = client.points.scroll(name, filter=condition, limit=limit, offset=offset)
        found += [record.id for record in page]
        if offset is None:
            break
        assert len(page) == limit
    first = (0, 0, b"") if start is None else id_order(start)
    assert found == [point_id for point_id in ids if id_order(point_id) >= first]
