"""The order of points by a payload field. It reads payloads as they are stored and asks no index.

Ascending: numbers by value, then strings by their UTF-8 bytes, then points that have neither; equal values by id
ascending. Descending: strings, then numbers, each reversed, and again last the points that have neither, ids ascending.
Booleans, nulls and objects are neither. Of an array the element that comes first in the order counts.
"""

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from planner.paths import Step, first_key, parse_path, values_at
from planner.query import OrderBy
from storage.budget import Budget
from storage.reader import Reader

ROWS_PER_CHECK = 1_024
"""Payloads read between two looks at the budget."""

Slots = NDArray[np.uint32]
_Key = tuple[bool, int | float | str]
"""Numbers before strings."""


def order_by_field(order: OrderBy, slots: Slots, reader: Reader, budget: Budget) -> Slots:
    """`slots` (n,) in the order, without those before `start_from`."""
    keyed = sorted(_keyed(order, slots, reader, budget), key=lambda pair: pair[1])
    valued = [(key, slot) for slot, _, key in keyed if key is not None]
    valued.sort(key=lambda pair: pair[0], reverse=order.descending)  # stable, also when reversed: ties stay by id
    if order.start_from is not None:
        start = _key_of(order.start_from)
        assert start is not None, "validate.py refuses others"
        valued = [(key, slot) for key, slot in valued if (key <= start if order.descending else key >= start)]
    rest = [slot for slot, _, key in keyed if key is None]
    return np.array([slot for _, slot in valued] + rest, np.uint32)


def _keyed(order: OrderBy, slots: Slots, reader: Reader, budget: Budget) -> Iterable[tuple[int, bytes, _Key | None]]:
    steps, keys = parse_path(order.path), frozenset([first_key(order.path)])
    for number, (slot, id_key) in enumerate(zip(slots.tolist(), reader.id_keys(slots), strict=True)):
        if number % ROWS_PER_CHECK == 0:
            budget.check()
        payload = reader.codec.decode(reader.record(slot).payload, keys)
        yield slot, id_key, _first(payload, steps, descending=order.descending)


def _first(payload: dict[str, object], steps: tuple[Step, ...], *, descending: bool) -> _Key | None:
    keys = [key for value in _opened(values_at(payload, steps)) if (key := _key_of(value)) is not None]
    if not keys:
        return None
    return max(keys) if descending else min(keys)


def _opened(values: Iterable[object]) -> Iterable[object]:
    """Arrays are opened once, as conditions do."""
    for value in values:
        if isinstance(value, list):
            yield from value
        else:
            yield value


def _key_of(value: object) -> _Key | None:
    if isinstance(value, str):
        return True, value
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        return None
    return False, value
