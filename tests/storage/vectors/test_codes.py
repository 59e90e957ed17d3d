"""Codes: their estimates are never further off than they say, and a scan of them finds exactly what a scan of the
originals finds."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from storage.budget import UNLIMITED
from storage.mvcc.snapshot import Snapshot
from storage.schema import CollectionSchema, DenseSpace, Distance
from storage.search.dense import SpaceSearch
from storage.search.snapshot_search import search_vectors
from storage.segments import matching
from storage.vectors import codes, distance
from storage.write.operations import ByIds, DeletePoints, SpaceVectors, Upsert
from tests.storage.hard_rows import METRICS, STYLES
from tests.storage.model import write
from tests.support.directories import CODEC, Directories

Rows = NDArray[np.float32]
Style = Callable[[np.random.Generator, int], Rows]
CODED = [metric for metric in Distance if codes.has_codes(metric)]


def _wide(metric: Distance, query: Rows, rows: Rows) -> NDArray[np.float64]:
    """Scores in float64, higher is better; Euclid's squared."""
    wide, one = rows.astype(np.float64), query.astype(np.float64)
    if metric is Distance.EUCLID:
        squares: NDArray[np.float64] = np.square(wide - one).sum(axis=1)
        return -squares
    products: NDArray[np.float64] = wide @ one
    if metric is Distance.COSINE:
        lengths = np.linalg.norm(wide, axis=1) * np.linalg.norm(one)
        products = np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 0)
    return products


@pytest.mark.parametrize("metric", CODED)
@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.__name__.strip("_"))
def test_bounds_hold(metric: Distance, style: Style) -> None:
    for size in (1, 3, 64, 200):
        rows = style(np.random.default_rng(size), size)
        safe = rows[~distance.is_unsafe(distance.norms_of(rows))]
        queries = safe[: min(40, len(safe))]
        coded = codes.code_rows(metric, safe, distance.norms_of(safe), np.arange(len(safe)))
        coded_queries = codes.code_queries(metric, queries)
        assert coded is not None
        assert coded_queries is not None
        for number, guess, bound in codes.estimate_codes(coded_queries, coded):
            off = np.abs(guess.astype(np.float64) - _wide(metric, queries[number], safe))
            assert off.max(initial=0) <= bound


def test_what_float32_cannot_hold_has_no_codes() -> None:
    rows = np.full((3, 4), 1e20, np.float32)
    assert codes.code_rows(Distance.DOT, rows, distance.norms_of(rows), np.arange(3)) is None
    assert codes.code_queries(Distance.DOT, rows) is None


def test_products_of_the_largest_codes_are_exact() -> None:
    rows = np.ones((50, 3_000), np.float32)
    rows[::2] *= -1
    coded = codes.code_rows(Distance.DOT, rows, distance.norms_of(rows), np.arange(50))
    queries = codes.code_queries(Distance.DOT, rows[:1])
    assert coded is not None
    assert queries is not None
    [(_, guess, _)] = codes.estimate_codes(queries, coded)
    assert np.allclose(guess, np.where(np.arange(50) % 2, -3_000, 3_000), rtol=1e-5)


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.__name__.strip("_"))
def test_coded_rows_give_the_same_bytes(
    style: Style, directories: Directories, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All metrics, three blocks of which one is open, dead rows, several limits, alone and in a batch."""
    monkeypatch.setattr(matching, "KEPT_ROWS", 20)
    monkeypatch.setattr(matching, "PART_ROWS", 70)
    rows = style(np.random.default_rng(5), 16)
    spaces = {metric.value: DenseSpace(size=16, distance=metric) for metric in METRICS}
    collection = directories.open().create_collection("c", CollectionSchema(spaces=spaces, indexing_threshold=250))
    vectors = {name: SpaceVectors(np.arange(len(rows)), rows) for name in spaces}
    ids = tuple(range(len(rows), 0, -1))
    write(collection, Upsert(ids=ids, payloads=(CODEC.encode({}),) * len(ids), vectors=vectors))
    write(collection, DeletePoints(selector=ByIds(tuple(range(1, len(rows), 7)))))
    with collection.snapshot() as snapshot:
        slots = snapshot.all_slots()
        allowed = np.sort(np.random.default_rng(6).choice(slots, len(slots) // 2, replace=False))
        copy = allowed.copy()  # may change, so nothing is kept of it
        allowed.flags.writeable = False
        for metric in METRICS:
            plain = _found(snapshot, metric, rows, copy)
            for _ in range(3):  # originals, then codes
                assert _found(snapshot, metric, rows, allowed) == plain
            batch = [_search(metric, row, allowed, 10) for row in rows[:40]]
            alone = [_search(metric, row, copy, 10) for row in rows[:40]]
            together, apart = (search_vectors(snapshot, searches, UNLIMITED) for searches in (batch, alone))
            for one, other in zip(together, apart, strict=True):
                assert one.slots.tolist() == other.slots.tolist()
                assert one.scores.tobytes() == other.scores.tobytes()


def _search(metric: Distance, vector: Rows, allowed: NDArray[np.uint32], limit: int) -> SpaceSearch:
    return SpaceSearch(space=metric.value, vector=vector, limit=limit, allowed=allowed)


def _found(
    snapshot: Snapshot, metric: Distance, rows: Rows, allowed: NDArray[np.uint32]
) -> list[tuple[list[int], bytes]]:
    searches = [_search(metric, rows[number], allowed, limit) for number in (0, 7, 19) for limit in (1, 10, 400)]
    return [
        (hits.slots.tolist(), hits.scores.tobytes())
        for search in searches
        for hits in search_vectors(snapshot, [search], UNLIMITED)
    ]


def test_rows_are_kept_within_bounds_and_as_long_as_their_filter() -> None:
    cache = matching.MatchingRowsCache(capacity=40_000)
    made: list[int] = []

    def rows_of(slots: NDArray[np.uint32]) -> NDArray[np.int64]:
        made.append(len(slots))
        return slots.astype(np.int64)

    first, second = (np.arange(start, start + 2_000, dtype=np.uint32) for start in (0, 5))
    for allowed in (first, second):
        allowed.flags.writeable = False
    assert cache.rows(first, "a", rows_of) is cache.rows(first, "a", rows_of)
    assert cache.rows(first, "b", rows_of).rows.tolist() == first.tolist()
    assert cache.rows(second, "a", rows_of).rows.tolist() == second.tolist()
    assert len(made) == 3
    cache.trim()  # each takes 16,000 bytes: the one used longest ago goes
    cache.rows(second, "a", rows_of)
    cache.rows(first, "a", rows_of)
    assert len(made) == 4
    del second, allowed
    assert len(cache) == 2
