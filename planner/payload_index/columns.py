"""The scalar values at a payload path as a column. Groups, facets and aggregations look at all of them.

Strings, numbers and bools are values. Nulls, objects and arrays inside arrays are not. Arrays are opened once, as in
conditions. The column comes from an index if there is one, else payloads are read.
"""

import sys
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.limits import ROWS_PER_CHECK
from planner.payload_index.indexes import FieldIndexes
from planner.predicate import canonical, first_key, parse_path, scalar_order, values_at
from planner.query import Scalar
from storage.budget import Budget
from storage.tables import Reader

MAX_PAYLOADS_READ_SINGLY = 1_024
"""Reading up to so many payloads takes less time than looking through a large index."""

VALUE_BYTES = 250
"""Memory of a distinct value of a column, besides the value itself."""

ENTRY_BYTES = 64
"""Memory of an entry of a column, including the arrays that are made of it."""

ROWS_PER_HOLD = 256

Slots = NDArray[np.uint32]
Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Column:
    """Entry i says: the point in `slots[i]` has the value `values[codes[i]]`. Both arrays are (n,), uint32 and int64.

    Equal values have one code. A point has one entry for each of its values, so it may have the same value twice.
    """

    slots: Slots
    codes: Codes
    values: list[Scalar]

    def among(self, slots: Slots) -> "Column":
        """The entries of these points, and the values that they have."""
        kept = np.isin(self.slots, slots)
        return compact(self.slots[kept], self.codes[kept], self.values)

    def distinct(self) -> "Column":
        """The column with each value at most once per point."""
        if len(self.slots) == 0:
            return self
        pairs = self.slots.astype(np.int64) * len(self.values) + self.codes
        _, first = np.unique(pairs, return_index=True)
        if len(first) == len(pairs):
            return self
        kept = np.sort(first)
        return Column(self.slots[kept], self.codes[kept], self.values)

    def order(self) -> NDArray[np.int64]:
        """Where each value stands in the total order of all values: int64, (number of values,)."""
        keys = [scalar_order(value) for value in self.values]
        ranks = np.empty(len(keys), np.int64)
        ranks[sorted(range(len(keys)), key=keys.__getitem__)] = np.arange(len(keys))
        return ranks


def column_of(reader: Reader, path: str, fields: FieldIndexes, budget: Budget, among: Slots | None = None) -> Column:
    """The values at `path` of all points, or of those in `among`. Requires: a valid path, points in `among`.

    Raises DeadlineExceeded, Cancelled.
    """
    if among is not None and len(among) <= MAX_PAYLOADS_READ_SINGLY:
        return _read(_payloads_of(reader, among, path), path, budget)
    index = fields.get(reader, path, budget)
    if index is not None:
        entries = index.entries
        column = compact(entries.slots, entries.codes.astype(np.int64), index.values.values[: index.value_count])
        return column if among is None else column.among(among)
    # reading records one by one takes about four times as long as in order
    if among is not None and 4 * len(among) <= reader.point_count:
        return _read(_payloads_of(reader, among, path), path, budget)
    column = _read(reader.payloads({first_key(path)}), path, budget)
    return column if among is None else column.among(among)


def compact(slots: Slots, codes: Codes, values: "list[Scalar] | list[object]") -> Column:
    """The column without values that are no scalars, and without values that no entry has."""
    used = np.bincount(codes, minlength=len(values)) > 0
    used &= np.fromiter((isinstance(value, str | int | float) for value in values), np.bool_, len(values))
    scalars = [canonical(values[code]) for code in np.flatnonzero(used).tolist()]  # type: ignore[arg-type]
    kept = used[codes]
    return Column(slots[kept], (np.cumsum(used) - 1)[codes[kept]], scalars)


def _payloads_of(reader: Reader, slots: Slots, path: str) -> Iterator[tuple[int, dict[str, object]]]:
    keys = frozenset([first_key(path)])
    return ((slot, reader.codec.decode(reader.record(slot).payload, keys)) for slot in slots.tolist())


def _read(payloads: Iterable[tuple[int, dict[str, object]]], path: str, budget: Budget) -> Column:
    steps = parse_path(path)
    slots, codes = array("I"), array("q")
    counted = entries = 0
    known: dict[tuple[bool, Scalar], int] = {}  # keyed by type too: a bool is not a number, but 1 and 1.0 are equal
    for number, (slot, payload) in enumerate(payloads):
        if number % ROWS_PER_CHECK == 0:
            budget.check()
        for value in values_at(payload, steps):
            for element in value if isinstance(value, list) else (value,):
                if isinstance(element, str | int | float):
                    slots.append(slot)
                    code = known.setdefault((isinstance(element, bool), element), len(known))
                    codes.append(code)
                    if code == counted:
                        counted += 1
                        budget.hold(VALUE_BYTES + sys.getsizeof(element), f"the values of {path!r}")
        if number % ROWS_PER_HOLD == 0:
            budget.hold(ENTRY_BYTES * (len(slots) - entries), f"the values of {path!r}")
            entries = len(slots)
    return Column(np.array(slots, np.uint32), np.array(codes, np.int64), [canonical(value) for _, value in known])
