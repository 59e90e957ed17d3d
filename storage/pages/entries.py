"""Checks that the tables of a collection agree: ids and points name each other, and each vector belongs to a point.

A damaged key is still a valid key, so checking pages is not enough. Ids have no checksum. Instead, a sum over all pairs
(id, slot) is made from each of the two tables, and the sums must be equal.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from storage.pages.keys import Keys
from storage.pages.layout import IN_RUN, Damage, Tree, refuse
from storage.pages.trees import Entries

_IDS, _POINTS, _META = "ids", "points", "meta"
_ROWS, _BODIES = "rows:", "records:"
_SLOT_BYTES = 4
_CUT = 511
_BUCKET_ENTRY_BYTES = 7  # rest of the id u8[2], its length u8, slot u32; see tables/ids.py
_ID_LENGTH_AT, _ID_AT = 13, 15  # in a stored point; see tables/point_records.py
_STATE_BYTES = 24  # commit, next slot, points: u64 each, big-endian

_FACTORS = tuple(np.uint64(factor) for factor in (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0xD6E8FEB86659FD93))

Visit = Callable[[Entries], None]


def counter_of(tables: Sequence[Tree]) -> "Counter | None":
    """A counter for the tables of a collection, which are walked in the order of their names.

    None when the file holds something else.
    """
    names = {table.name: table for table in tables}
    return Counter(names) if {_IDS, _POINTS, _META} <= names.keys() else None


class Counter:
    """Sums up the ids and slots of tables while they are walked."""

    def __init__(self, tables: dict[str, Tree]) -> None:
        self._tables = tables
        self._ids = self._points = 0
        self._slots: list[NDArray[np.uint32]] = []
        self._ordered: NDArray[np.uint32] | None = None
        self._state: tuple[int, bytes] | None = None

    def visit(self, table: str) -> Visit:
        """A function that reads the entries of a table."""
        kind, _, uid = table.partition(":")
        tokens = kind == "rows" and f"{_BODIES}{uid}" in self._tables  # its slots are rows, not points
        if kind in ("rows", "records") and uid and not tokens:
            return self._visit_vectors
        known = {_IDS: self._visit_ids, _POINTS: self._visit_points, _META: self._visit_meta}
        return known.get(table, lambda entries: None)

    def check(self) -> None:
        """Raises Damage unless the tables agree. Requires: all of them were walked."""
        if self._ids != self._points:
            raise Damage(self._tables[_IDS].place, "ids and points do not name each other")
        place, state = self._state or (self._tables[_META].place, b"")
        if len(state) != _STATE_BYTES:
            raise Damage(place, "the counters of the collection are missing")
        next_slot, points = (int.from_bytes(state[at : at + 8], "big") for at in (8, 16))
        slots = self._all_slots()
        if len(slots) != points or (len(slots) and slots[-1] >= next_slot):
            raise Damage(
                place,
                f"the counters say {points:,} points and {next_slot:,} slots, but {len(slots):,} points are stored",
            )

    def _visit_ids(self, entries: Entries) -> None:
        nodes = entries.nodes
        whole = nodes.keys.lengths < _CUT
        refuse(whole & (nodes.sizes != _SLOT_BYTES), nodes.offsets, "the entry of an id does not hold a slot")
        kept = np.flatnonzero(whole)
        slots = (nodes.word_le(nodes.values[kept]) & np.uint64(0xFFFFFFFF)).astype(np.uint32).byteswap()
        self._ids = _add(self._ids, nodes.keys.take(kept), slots)
        for number in np.flatnonzero(~whole).tolist():
            start = int(nodes.keys.starts[number])
            cut = nodes.keys.data[start : start + _CUT].tobytes()
            value = entries.value(number)
            if not value or len(value) % _BUCKET_ENTRY_BYTES:
                raise Damage(int(nodes.offsets[number]), "the entry of an id does not hold slots")
            for at in range(0, len(value), _BUCKET_ENTRY_BYTES):
                rest, slot = value[at : at + 2][: value[at + 2]], value[at + 3 : at + _BUCKET_ENTRY_BYTES]
                self._ids = _add(self._ids, _keys([cut + rest]), np.frombuffer(slot, ">u4"))

    def _visit_points(self, entries: Entries) -> None:
        nodes = entries.nodes
        slots = _slots_of(entries)
        self._slots.append(slots)
        refuse(nodes.sizes < _ID_AT, nodes.offsets, "the stored point is too short")
        here = np.flatnonzero(nodes.flags & IN_RUN == 0)
        lengths = (nodes.word_le(nodes.values[here] + _ID_LENGTH_AT) & np.uint64(0xFFFF)).astype("<u2").view(">u2")
        lengths = lengths.astype(np.int64)
        refuse(lengths + _ID_AT > nodes.sizes[here], nodes.offsets[here], "the stored point is too short")
        self._points = _add(self._points, Keys(nodes.keys.data, nodes.values[here] + _ID_AT, lengths), slots[here])
        large = list(entries.run_starts)
        ids = []
        for number in large:
            start = entries.run_starts[number]
            end = _ID_AT + int.from_bytes(start[_ID_LENGTH_AT:_ID_AT], "big")
            if end > len(start):
                raise Damage(int(nodes.offsets[number]), "the stored point is too short")
            ids.append(start[_ID_AT:end])
        self._points = _add(self._points, _keys(ids), slots[large])

    def _visit_vectors(self, entries: Entries) -> None:
        slots, known = _slots_of(entries), self._all_slots()
        places = np.searchsorted(known, slots)
        found = places < len(known)
        found[found] = known[places[found]] == slots[found]
        refuse(~found, entries.nodes.offsets, "a slot has a vector and no point")

    def _visit_meta(self, entries: Entries) -> None:
        for number in range(len(entries.nodes.page_of)):
            if entries.key(number) == b"state":
                self._state = int(entries.nodes.offsets[number]), entries.value(number)

    def _all_slots(self) -> NDArray[np.uint32]:
        """The slots of all points, ascending. Requires: the table of points was walked."""
        if self._ordered is None:
            self._ordered = np.sort(np.concatenate([np.zeros(0, np.uint32), *self._slots]))
        return self._ordered


def _slots_of(entries: Entries) -> NDArray[np.uint32]:
    """The keys of entries as slots."""
    keys = entries.nodes.keys
    refuse(keys.lengths != _SLOT_BYTES, entries.nodes.offsets, "the key is not a slot")
    return (keys.words(0) >> np.uint64(32)).astype(np.uint32)


def _keys(keys: list[bytes]) -> Keys:
    lengths = np.array([len(key) for key in keys], np.int64)
    return Keys(np.frombuffer(b"".join(keys) + bytes(8), np.uint8), np.cumsum(lengths) - lengths, lengths)


def _add(total: int, keys: Keys, slots: NDArray[np.uint32]) -> int:
    """Adds to `total` a number for each pair of a key and a slot. The order of the pairs does not matter."""
    mixed = slots.astype(np.uint64) * _FACTORS[0] + keys.lengths.astype(np.uint64) * _FACTORS[1]
    left = np.arange(len(keys))
    for number in range(-(-int(keys.lengths.max(initial=0)) // 8)):
        left = left[keys.lengths[left] > 8 * number]
        here = (mixed[left] ^ keys.take(left).words(number)) * _FACTORS[2]
        mixed[left] = here ^ (here >> np.uint64(29))
    return (total + int(np.add.reduce(mixed * _FACTORS[0] ^ (mixed >> np.uint64(31))))) % 2**64
