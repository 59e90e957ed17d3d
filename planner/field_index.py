"""The values at one payload path, of all points of one commit, so that conditions on it need not read payloads.

Each distinct value is tested once, by the test that conditions.py makes, so an index cannot disagree with a scan.
"""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from planner.conditions import ElementCondition, element_test
from planner.filter import AnyOf, Equal
from planner.paths import first_key, parse_path, values_at
from storage.budget import Budget
from storage.reader import Reader

ROWS_PER_CHECK = 1_024
"""Rows read between two looks at the budget: some milliseconds."""

Slots = NDArray[np.uint32]
_Key = tuple[type, object]
"""A value and what it compares with: True is not 1, and 1 is 1.0."""


class _Values:
    """Distinct values by code. Only grows, so that indexes of several commits share it; one thread at a time adds."""

    def __init__(self) -> None:
        self.values: list[object] = []
        self.codes: dict[_Key, int] = {}
        self.bytes = 0

    def code(self, value: object) -> int:
        key = _key(value)
        code = self.codes.get(key)
        if code is None:
            code = self.codes[key] = len(self.values)
            self.values.append(value)
            self.bytes += 200 + (len(value) if isinstance(value, str) else 0)
        return code


@dataclass(frozen=True, slots=True)
class FieldIndex:
    """Entry i: the point in `slots[i]` has the value of `codes[i]` at `path` (uint32 and int32, (n,))."""

    path: str
    seq: int
    slots: Slots
    codes: NDArray[np.int32]
    values: _Values
    value_count: int

    @property
    def bytes(self) -> int:
        """Memory held, about."""
        return self.slots.nbytes + self.codes.nbytes + self.values.bytes

    def matching(self, condition: ElementCondition) -> Slots:
        """Slots, ascending, of the points for which the condition holds. Requires: its path is the index's."""
        if isinstance(condition, Equal | AnyOf):
            wanted = (condition.value,) if isinstance(condition, Equal) else condition.values
            codes = [code for value in wanted if (code := self.values.codes.get(_key(value))) is not None]
            found = self.slots[np.isin(self.codes, np.array(codes, np.int32))]
        else:
            test = element_test(condition)
            values = self.values.values[: self.value_count]
            passing = np.fromiter((test(value) for value in values), np.bool_, len(values))
            found = self.slots[passing[self.codes]]
        return _distinct(found)


def build_index(reader: Reader, path: str, budget: Budget) -> FieldIndex:
    """The index of what the reader sees. Raises DeadlineExceeded or Cancelled as `budget` says."""
    values = _Values()
    slots, codes = _entries(reader.payloads({first_key(path)}), path, values, budget)
    return FieldIndex(path, reader.seq, slots, codes, values, len(values.values))


def updated(index: FieldIndex, reader: Reader, changed: Slots, budget: Budget) -> FieldIndex:
    """The index as of the reader's commit; `changed` are the slots that differ. One thread at a time per path."""
    if len(changed) == 0:
        return replace(index, seq=reader.seq)
    keys = {first_key(index.path)}
    payloads = ((record.slot, reader.codec.decode(record.payload, keys)) for record in reader.existing(changed))
    slots, codes = _entries(payloads, index.path, index.values, budget)
    kept = ~np.isin(index.slots, changed)
    return FieldIndex(
        index.path,
        reader.seq,
        np.concatenate([index.slots[kept], slots]),
        np.concatenate([index.codes[kept], codes]),
        index.values,
        len(index.values.values),
    )


def _entries(
    payloads: Iterable[tuple[int, dict[str, object]]], path: str, values: _Values, budget: Budget
) -> tuple[Slots, NDArray[np.int32]]:
    steps = parse_path(path)
    slots, codes = array("I"), array("i")
    for number, (slot, payload) in enumerate(payloads):
        if number % ROWS_PER_CHECK == 0:
            budget.check()
        for value in values_at(payload, steps):
            for element in value if isinstance(value, list) else (value,):
                if element is None or isinstance(element, str | int | float):
                    slots.append(slot)
                    codes.append(values.code(element))
    return np.array(slots, np.uint32), np.array(codes, np.int32)


def _key(value: object) -> _Key:
    kind = type(value)
    return (float if kind is int else kind), value


def _distinct(slots: Slots) -> Slots:
    """Ascending, each once: by a bitmap, since sorting many slots takes longer."""
    if len(slots) == 0:
        return slots
    present = np.zeros(int(slots.max()) + 1, np.bool_)
    present[slots] = True
    return np.flatnonzero(present).astype(np.uint32)
