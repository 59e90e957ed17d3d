"""Filtered searches find exactly the matching points that are nearest: the first time, by codes from the second on, in
batches, after writes, with any metric and share of matches."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from headwater import Client, Distance, Field, PointStruct, SearchParams, VectorParams
from headwater.filters import Condition

COUNT, SIZE, LIMIT = 4_000, 24, 10
METRICS = {"cos": Distance.Cosine, "dot": Distance.Dot, "l2": Distance.Euclid, "l1": Distance.Manhattan}

Rows = NDArray[np.float32]
Found = list[tuple[int, float]]


def rows_of(seed: int, count: int) -> Rows:
    random = np.random.default_rng(seed)
    centres = np.random.default_rng(0).standard_normal((30, SIZE))
    rows: Rows = (centres[random.integers(0, 30, count)] + 0.3 * random.standard_normal((count, SIZE))).astype("f4")
    return rows


def truth(metric: Distance, query: Rows, rows: Rows, ids: Sequence[int]) -> list[int]:
    """The ids of the nearest rows, in float64."""
    wide, one = rows[list(ids)].astype(np.float64), query.astype(np.float64)
    match metric:
        case Distance.Cosine:
            keys = -(wide @ one) / np.linalg.norm(wide, axis=1)
        case Distance.Dot:
            keys = -(wide @ one)
        case Distance.Euclid:
            keys = np.linalg.norm(wide - one, axis=1)
        case _:
            keys = np.abs(wide - one).sum(axis=1)
    return np.asarray(ids)[np.argsort(keys, kind="stable")[:LIMIT]].tolist()  # type: ignore[no-any-return]


@pytest.fixture
def rows(client: Client, name: str) -> Rows:
    """The vectors of a collection `name`, in all spaces; `n` is their number, `along` the rank of component 0."""
    rows = rows_of(1, COUNT)
    client.collections.create(name, {space: VectorParams(SIZE, metric) for space, metric in METRICS.items()})
    along = np.argsort(np.argsort(rows[:, 0])).tolist()
    client.upload_points(
        name,
        [
            PointStruct(number, dict.fromkeys(METRICS, row), {"n": number, "along": along[number]})
            for number, row in enumerate(rows)
        ],
        batch_size=1_000,
    )
    return rows


def search(client: Client, name: str, space: str, query: Rows, filter: Condition) -> Found:
    hits = client.points.search(
        name, query, using=space, limit=LIMIT, filter=filter, params=SearchParams(hnsw_ef=64), with_payload=False
    )
    return [(int(hit.id), hit.score) for hit in hits]


@pytest.mark.parametrize("space", METRICS)
def test_every_share_of_matches(client: Client, name: str, rows: Rows, space: str) -> None:
    along = np.argsort(np.argsort(rows[:, 0]))
    queries = rows_of(2, 4)
    for most in (0, 3, 40, 1_200, 3_900):
        for filter, ids in (
            (Field("n").lt(most), list(range(most))),
            (Field("along").gte(COUNT - most), np.flatnonzero(along >= COUNT - most).tolist()),
        ):
            expected = [truth(METRICS[space], query, rows, ids) for query in queries]
            first = [search(client, name, space, query, filter) for query in queries]
            assert [[number for number, _ in hits] for hits in first] == expected
            assert [search(client, name, space, query, filter) for query in queries] == first
            batch = client.points.search_batch(
                name,
                searches=[
                    {"vector": query, "using": space, "limit": LIMIT, "filter": filter, "with_payload": False}
                    for query in queries
                ],
            )
            assert [[(int(hit.id), hit.score) for hit in hits] for hits in batch] == first


def test_writes_are_seen_though_rows_are_kept(client: Client, name: str, rows: Rows) -> None:
    filter, query = Field("n").gte(1_000), rows[2_000]
    for _ in range(3):
        assert search(client, name, "cos", query, filter)[0][0] == 2_000
    client.points.delete(name, ids=[2_000])
    for _ in range(3):
        assert 2_000 not in dict(search(client, name, "cos", query, filter))
    client.points.upsert(name, [PointStruct(9_999, {"cos": query}, {"n": 9_999})])
    for _ in range(3):
        assert search(client, name, "cos", query, filter)[0][0] == 9_999
    client.points.set_payload(name, {"n": 5}, ids=[9_999])
    for _ in range(3):
        assert 9_999 not in dict(search(client, name, "cos", query, filter))
