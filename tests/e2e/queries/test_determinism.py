"""The same request on the same data gives the same bytes: again, in a batch, from other threads, after other writes."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from headwater import Client, Distance, PointStruct, VectorParams
from headwater.v1 import points_pb2, query_pb2
from headwater.v1.common_pb2 import ScoredPoint
from tests.support.messages import dbsf, field, leaf, must, nearest, number, rrf
from tests.support.wire import Wire, submessages

COUNT, SIZE, THRESHOLD = 900, 12, 400
Results = list[bytes]


def data() -> list[PointStruct]:
    """Vectors of few values, so that many scores tie, and ids of both kinds."""
    generator = np.random.default_rng(5)
    rows = generator.integers(-1, 2, (COUNT, SIZE)).astype(np.float32)
    rows[:, 0] = 2  # none is zero
    return [
        PointStruct(
            n if n % 2 else f"key {n}", {"cos": row, "man": row}, {"n": n, "m": {"b": n % 7, "a": None, "c": [n]}}
        )
        for n, row in enumerate(rows)
    ]


def query(limit: int = 40, **fields: Any) -> points_pb2.PointsQueryRequest:
    return points_pb2.PointsQueryRequest(with_vectors={"enable": True}, limit=limit, **fields)


def requests() -> list[points_pb2.PointsQueryRequest]:
    target = np.random.default_rng(6).standard_normal(SIZE).tolist()
    plain = [1.0] + [0.0] * (SIZE - 1)
    exact = query_pb2.SearchParams(exact=True)
    half = must(field("m.b", range={"lt": number(3)}))
    leaves = [
        leaf(plain, "cos", limit=300, params=exact),
        leaf(target, "man", limit=300, params=exact, filter=half),
        leaf(plain, "man", params=exact),
    ]
    return [
        query(query=nearest(plain), using="cos", params=exact),
        query(query=nearest(target), using="man", params=exact, filter=half),
        query(query=nearest("key 4"), using="cos", params=exact, limit=COUNT),
        query(query=rrf(), prefetch=leaves),
        query(query=dbsf(weights=[1, 0.3, 2]), prefetch=leaves, offset=13, filter=half),
        query(query=nearest(target), using="cos", prefetch=[query_pb2.PrefetchQuery(query=rrf(k=2), prefetch=leaves)]),
        query(filter=half),
    ]


def answers(wire: Wire, name: str, asked: list[points_pb2.PointsQueryRequest]) -> Results:
    """Results one by one, without the time they took."""
    found = []
    for each in asked:
        request = points_pb2.PointsQueryRequest(collection_name=name)
        request.MergeFrom(each)
        found += submessages(wire.send(request), 1)
    return found


def together(wire: Wire, name: str, asked: list[points_pb2.PointsQueryRequest]) -> Results:
    return submessages(wire.send(points_pb2.PointsQueryBatchRequest(collection_name=name, queries=asked)), 1)


def ranked(results: Results) -> list[list[ScoredPoint]]:
    """Results without the commits that they and their points are of."""
    found = []
    for result in results:
        message = points_pb2.QueryResult.FromString(result)
        for hit in message.points:
            hit.version = 0
        found.append(list(message.points))
    return found


@pytest.fixture(scope="module")
def stored(client: Client) -> Iterator[str]:
    name = "determinism"
    _create(client, name, threshold=1_000_000)
    client.points.upsert(name, data())
    yield name
    client.collections.delete(name)


def _create(client: Client, name: str, threshold: int) -> None:
    spaces = {"cos": VectorParams(SIZE), "man": VectorParams(SIZE, Distance.Manhattan)}
    client.collections.create(name, spaces, optimizers_config={"indexing_threshold": threshold})


def test_again_and_in_batches_of_any_order(wire: Wire, stored: str) -> None:
    asked = requests()
    first = answers(wire, stored, asked)
    assert len({len(result) for result in first}) > 1
    assert answers(wire, stored, asked) == first
    assert together(wire, stored, asked) == first
    assert together(wire, stored, asked[::-1]) == first[::-1]
    assert together(wire, stored, asked * 5) == first * 5


def test_from_many_threads(wire: Wire, stored: str) -> None:
    asked = requests()
    first = answers(wire, stored, asked)
    with ThreadPoolExecutor(6) as pool:
        assert all(result == first for result in pool.map(lambda _: answers(wire, stored, asked), range(12)))


def test_a_page_and_a_point_have_the_same_bytes_again(wire: Wire, stored: str) -> None:
    scroll = points_pb2.PointsScrollRequest(collection_name=stored, limit=100, with_vectors={"enable": True})
    get = points_pb2.PointsGetRequest(collection_name=stored, ids=[{"number": 1}, {"key": "key 0"}])
    for request in (scroll, get):
        assert len({wire.send(request) for _ in range(5)}) == 1


def test_whatever_the_writes_and_the_segments(client: Client, wire: Wire, stored: str, name: str) -> None:
    """The same points, written in another order, with some overwritten and deleted; then indexed."""
    _create(client, name, THRESHOLD)
    points = data()
    for start in range(0, COUNT, 150):
        client.points.upsert(name, points[start : start + 150][::-1])
    client.points.upsert(name, [PointStruct(f"ghost {n}", points[n].vector) for n in range(200)])
    client.points.upsert(name, points[::3])
    client.points.delete(name, [f"ghost {n}" for n in range(200)])
    asked, wanted = requests(), ranked(answers(wire, stored, requests()))
    assert ranked(answers(wire, name, asked)) == wanted
    deadline = time.monotonic() + 60
    while client.collections.get_info(name).vectors["cos"].indexed_vectors_count == 0:
        assert time.monotonic() < deadline, "no index was built"
        assert ranked(together(wire, name, asked)) == wanted
    assert ranked(answers(wire, name, asked)) == wanted
    client.vde.close(name)
    client.vde.open(name)
    assert ranked(together(wire, name, asked)) == wanted
    client.collections.delete(name)
