"""Conditions on the point's id, under the reserved path `$id`. The order of ids serves them; no payload is read.

The quoted path `"$id"` means a payload key of that name.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from planner.errors import InvalidFilter
from planner.predicate.conditions import compile_condition
from planner.query import (
    AnyOf,
    Bound,
    Condition,
    Equal,
    ExceptOf,
    Exists,
    Filter,
    HasId,
    HasVector,
    Range,
    Scalar,
    TextOperator,
    TextTest,
)
from storage.budget import Budget
from storage.schema import PointId
from storage.tables import MAX_ID_NUMBER, Reader, encode_id

ID_PATH = "$id"

IDS_PER_CHECK = 4_096
"""Ids that are walked between two looks at the budget: some milliseconds."""

IDS_WALKED_PER_TEST = 64
"""Ids that a walk passes in the time that testing one id by itself takes."""

Slots = NDArray[np.uint32]
Mask = NDArray[np.bool_]
IdCondition = Equal | AnyOf | ExceptOf | Range | TextTest | Exists

_FIRST_STRING = encode_id("")
_AFTER_ALL = b"\x03"


def is_on_id(condition: Condition) -> bool:
    """Whether the condition is on the id rather than on the payload."""
    return not isinstance(condition, Filter | HasId | HasVector) and condition.path == ID_PATH


def check_on_id(condition: Condition, path: str) -> None:
    """Raises InvalidFilter for a test that ids do not support. `path` is where the request holds the condition."""
    if isinstance(condition, Equal | AnyOf | ExceptOf | Range | Exists):
        return
    if isinstance(condition, TextTest) and condition.operator is TextOperator.STARTS_WITH:
        return
    what = 'a point id has only equality, sets, ranges and prefixes; write "$id", in quotes, for a payload key'
    raise InvalidFilter(path, what)


def ids_named(condition: Condition) -> tuple[PointId, ...] | None:
    """The ids that the condition lists; every match is one of them. None if it lists no ids."""
    match condition:
        case HasId(ids=ids):
            return ids
        case Equal(path=path, value=value) if path == ID_PATH:
            return _ids_of([value])
        case AnyOf(path=path, values=values) if path == ID_PATH:
            return _ids_of(values)
    return None


def holds_of_id(condition: IdCondition, slots: Slots, reader: Reader, budget: Budget) -> Mask:
    """Whether the condition on the id holds for each of `slots` (n,). Raises DeadlineExceeded, Cancelled.

    Requires: `check_on_id` has passed.
    """
    match condition:
        case Exists():
            return np.ones(len(slots), np.bool_)
        case ExceptOf(values=values):
            return ~_among(slots, reader, _ids_of(values))
        case Equal(value=value):
            return _among(slots, reader, _ids_of([value]))
        case AnyOf(values=values):
            return _among(slots, reader, _ids_of(values))
        case Range() | TextTest():
            return _within(condition, slots, reader, budget)
    assert_never(condition)


def _within(condition: Range | TextTest, slots: Slots, reader: Reader, budget: Budget) -> Mask:
    if IDS_WALKED_PER_TEST * len(slots) <= reader.point_count:
        passes = compile_condition(condition)
        return np.fromiter((passes({ID_PATH: point_id}) for point_id in reader.point_ids(slots)), np.bool_, len(slots))
    return np.isin(slots, _walked(reader, *_keys_of(condition), budget), assume_unique=True)


def _ids_of(values: Iterable[Scalar]) -> tuple[PointId, ...]:
    """The values that are ids. A double that is a whole number is one; a bool and a negative number are not."""
    return tuple(found for value in values if (found := _id_of(value)) is not None)


def _id_of(value: Scalar) -> PointId | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        return value
    whole = math.isfinite(value) and int(value) == value and 0 <= value <= MAX_ID_NUMBER
    return int(value) if whole else None


def _among(slots: Slots, reader: Reader, ids: Sequence[PointId]) -> Mask:
    return np.isin(slots, reader.slots_of(ids))


def _keys_of(condition: Range | TextTest) -> tuple[bytes, bytes]:
    """The first id key of a range, and the first key after the range."""
    if isinstance(condition, TextTest):
        start = encode_id(condition.operand)
        return start, start + b"\xff"  # no UTF-8 has this byte
    lows = [*_given(condition.gt, after=True), *_given(condition.gte, after=False)]
    stops = [*_given(condition.lt, after=False), *_given(condition.lte, after=True)]
    strings = any(isinstance(bound, str) for bound in (condition.gt, condition.gte, condition.lt, condition.lte))
    first, last = (_FIRST_STRING, _AFTER_ALL) if strings else (encode_id(0), _FIRST_STRING)
    return max([first, *lows]), min([last, *stops])


def _given(bound: Bound | None, *, after: bool) -> Iterator[bytes]:
    """The key of the first id at the bound. With `after`: of the first id after it."""
    if bound is None:
        return
    if isinstance(bound, str):
        yield encode_id(bound) + (b"\0" if after else b"")
        return
    number = math.floor(bound) + 1 if after else math.ceil(bound)
    yield encode_id(max(0, number)) if number <= MAX_ID_NUMBER else _FIRST_STRING


def _walked(reader: Reader, start: bytes, stop: bytes, budget: Budget) -> Slots:
    found = [np.empty(0, np.uint32)]
    walk = reader.ids.slots_between(start, stop)
    while (chunk := np.fromiter(islice(walk, IDS_PER_CHECK), np.uint32)).size:
        budget.check()
        found.append(chunk)
    return np.concatenate(found)
