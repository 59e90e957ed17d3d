"""Codes: their estimates are never further off than they say, and a scan of them finds exactly what a scan of the
originals finds."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from storage.budget import UNLIMITED
from storage.mvcc.snapshot import Snapshot
from storage.schema import CollectionSchema, DenseSpace, Distance
from storage.search.dense import SpaceSearch
from storage.search.snapshot_search import search_vectors
from storage.segments import matching
from storage.segments.slot_set import SlotSet
from storage.vectors import codes, distance
from storage.write.operations import ByIds, DeletePoints, SpaceVectors, Upsert
from tests.storage.hard_rows import METRICS, STYLES
from tests.storage.model import write
from tests.support.directories import CODEC, Directories

Rows = NDArray[np.float32]
Style = Callable[[np.random.Generator, int], Rows]


def test_what_float32_cannot_hold_has_no_codes() -> None:
    rows = np.full((3, 4), 1e20, np.float32)
    assert codes.code_rows(Distance.DOT, rows, distance.norms_of(rows), np.arange(3)) is None


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.__name__.strip("_"))
def test_coded_rows_give_the_same_bytes(
    style: Style, directories: Directories, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All metrics, three blocks of which one is open, dead rows, several limits, alone and in a batch."""
    monkeypatch.setattr(matching, "KEPT_ROWS", 20)
    monkeypatch.setattr(matching, "_PART_VALUES", 70 * 16)
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
        named, nameless = SlotSet(allowed, "every second"), SlotSet(allowed)  # of the second nothing is kept
        for metric in METRICS:
            plain = _found(snapshot, metric, rows, nameless)
            for _ in range(3):  # originals, then codes
                assert _found(snapshot, metric, rows, named) == plain
            batch = [_search(metric, row, named, 10) for row in rows[:40]]
            alone = [_search(metric, row, nameless, 10) for row in rows[:40]]
            together, apart = (search_vectors(snapshot, searches, UNLIMITED) for searches in (batch, alone))
            for one, other in zip(together, apart, strict=True):
                assert one.slots.tolist() == other.slots.tolist()
                assert one.scores.tobytes() == other.scores.tobytes()


def _search(metric: Distance, vector: Rows, allowed: SlotSet, limit: int) -> SpaceSearch:
    return SpaceSearch(space=metric.value, vector=vector, limit=limit, allowed=allowed)


def _found(snapshot: Snapshot, metric: Distance, rows: Rows, allowed: SlotSet) -> list[tuple[list[int], bytes]]:
    searches = [_search(metric, rows[number], allowed, limit) for number in (0, 7, 19) for limit in (1, 10, 400)]
    return [
        (hits.slots.tolist(), hits.scores.tobytes())
        for search in searches
        for hits in search_vectors(snapshot, [search], UNLIMITED)
    ]


def test_rows_are_kept_within_bounds_for_equal_sets() -> None:
    cache = matching.MatchingRowsCache(capacity=60_000)
    made: list[int] = []

    def rows_of(slots: NDArray[np.uint32]) -> NDArray[np.int64]:
        made.append(len(slots))
        return slots.astype(np.int64)

    def rows(start: int, space: int, origin: object = "filter", seq: int = 1) -> matching.MatchingRows:
        """Of a new set each time: what is equal is its origin."""
        slots = np.arange(start, start + 2_000, dtype=np.uint32)
        return cache.rows(SlotSet(slots, None if origin is None else (origin, start)), space, seq, rows_of)

    assert rows(0, 1) is rows(0, 1)
    assert rows(0, 2).rows.tolist() == list(range(2_000))  # another space
    assert rows(5, 1).rows.tolist() == list(range(5, 2_005))  # another filter: this is the third of 24,000 bytes
    assert (len(made), len(cache), cache.used) == (3, 2, 48_000)
    rows(5, 1)
    rows(0, 2)
    assert len(made) == 3
    rows(0, 1)  # the one used longest ago had gone
    rows(0, 2)
    assert len(made) == 4
    assert rows(0, 2, seq=2) is not rows(0, 2, seq=1)  # another commit
    assert rows(0, 1, origin=None) is not rows(0, 1, origin=None)


def test_what_is_coded_counts_against_the_bound() -> None:
    cache = matching.MatchingRowsCache(capacity=60_000)
    one, other = (SlotSet(np.arange(2_000, dtype=np.uint32), name) for name in ("one", "other"))
    first, second = (cache.rows(each, 1, 1, lambda slots: slots.astype(np.int64)) for each in (one, other))
    cache.note_growth(first)
    assert len(cache) == 2
    second._blocks[Path("0.vectors")] = matching.RowsInBlock(np.arange(2_000))
    cache.note_growth(second)
    assert (len(cache), cache.used) == (1, 40_000)
    second._blocks[Path("1.vectors")] = matching.RowsInBlock(np.arange(5_000))
    cache.note_growth(second)  # it is larger than all that may be kept
    assert (len(cache), cache.used) == (0, 0)


def test_a_slot_set_is_what_it_was_made_of() -> None:
    slots = np.array([1, 5, 9], np.uint32)
    one, same, other = (
        SlotSet(slots, ("c", 1, "x")),
        SlotSet(slots.copy(), ("c", 1, "x")),
        SlotSet(slots, ("c", 2, "x")),
    )
    assert one == same
    assert hash(one) == hash(same)
    assert one != other
    assert one != slots.tolist()
    assert SlotSet(slots) != SlotSet(slots)
    assert len({one, same, other, SlotSet(slots), SlotSet(slots)}) == 4
    assert slots.flags.writeable  # it says nothing
    with pytest.raises(ValueError, match="read-only"):
        one.slots[0] = 0
