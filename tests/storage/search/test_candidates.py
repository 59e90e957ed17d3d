"""Exact search loses no row of the true top k, whatever the numbers: the estimates only nominate, with bounds."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from storage.budget import UNLIMITED
from storage.mvcc.snapshot import Snapshot
from storage.schema import CollectionSchema, DenseSpace, Distance, SchemaChange
from storage.search import scan
from storage.search.dense import SpaceSearch
from storage.search.snapshot_search import search_vectors
from storage.segments.slot_set import SlotSet
from storage.vectors import distance
from storage.write.operations import ByIds, DeletePoints, SpaceVectors, Upsert
from tests.storage.hard_rows import COUNT, METRICS, STYLES, Rows
from tests.storage.model import write
from tests.support.directories import CODEC, Directories


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.__name__.strip("_"))
def test_nothing_of_the_top_is_lost(
    style: Callable[[np.random.Generator, int], Rows], directories: Directories, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All metrics; rows in three blocks, some dead; all rows, many and few of them; several queries at once."""
    monkeypatch.setattr(scan, "ROWS_AT_ONCE", 100)
    database = directories.open()
    for size in (1, 3, 64):
        rows = style(np.random.default_rng(size), size)
        spaces = {metric.value: DenseSpace(size=size, distance=metric) for metric in METRICS}
        collection = database.create_collection(f"size {size}", CollectionSchema(spaces=spaces, indexing_threshold=250))
        for start in range(0, COUNT, 150):
            part = rows[start : start + 150]
            vectors = {name: SpaceVectors(np.arange(len(part)), part) for name in spaces}
            # Ids descend while slots ascend, so that order by slot is no order by id.
            ids = tuple(range(COUNT - start, COUNT - start - len(part), -1))
            write(collection, Upsert(ids=ids, payloads=(CODEC.encode({}),) * len(ids), vectors=vectors))
        write(collection, DeletePoints(selector=ByIds(tuple(range(1, COUNT + 1, 7)))))
        collection.change_schema(SchemaChange(indexing_threshold=20_000))
        with collection.snapshot() as snapshot:
            for metric in METRICS:
                _assert_tops(snapshot, metric, rows)


def _assert_tops(snapshot: Snapshot, metric: Distance, rows: Rows) -> None:
    random = np.random.default_rng(7)
    queries = rows[[3, 100, 301]]
    slots = snapshot.all_slots()
    few = np.sort(random.choice(slots, 40, replace=False))
    many = np.sort(random.choice(slots, 300, replace=False))
    searches, expected = [], []
    for query in queries:
        for allowed in (None, SlotSet(few), SlotSet(many)):
            for limit in (1, 10, 200):
                searches.append(SpaceSearch(space=metric.value, vector=query, limit=limit, allowed=allowed, exact=True))
                expected.append(_true_top(metric, query, rows, slots if allowed is None else allowed.slots, limit))
    found = search_vectors(snapshot, searches, UNLIMITED)
    for hits, (wanted_slots, wanted_scores) in zip(found, expected, strict=True):
        assert hits.slots.tolist() == wanted_slots.tolist()
        assert hits.scores.tobytes() == wanted_scores.tobytes()


def _true_top(
    metric: Distance, query: Rows, rows: Rows, slots: NDArray[np.uint32], limit: int
) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
    scores = distance.score_rows(metric, query, rows[slots])
    keys = -scores if metric.higher_is_better else scores
    order = np.lexsort((COUNT - slots.astype(np.int64), keys))[:limit]
    return slots[order], scores[order]
