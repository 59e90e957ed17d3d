"""Values of a formula's variables as columns: numbers, instants and locations of payloads, and scores in lists."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from planner.filtering import RANDOM_READ_COST
from planner.limits import ROWS_PER_CHECK
from planner.payload_index import FieldIndex, FieldIndexes
from planner.predicate import distance, first_key, location_of, parse_path, seconds_of, values_at
from planner.query import DatetimeKey, FieldValue, GeoDistance, GeoPoint, PayloadVariable
from planner.rank.ranking import Ranking
from storage.budget import Budget
from storage.tables import Reader

Slots = NDArray[np.uint32]
Values = NDArray[np.float64]
_Payload = dict[str, object]

SLOTS_PER_INDEX = 16
"""Reading one payload of so many points takes about as long as looking through all values of an index."""


def score_column(ranking: Ranking, slots: Slots, default: float) -> Values:
    """The scores (n,) of `slots` (n,) in a list; `default` where the list lacks them."""
    order = np.argsort(ranking.slots)
    column = np.full(len(slots), default, np.float64)
    if len(order):
        places = np.minimum(np.searchsorted(ranking.slots, slots, sorter=order), len(order) - 1)
        found = ranking.slots[order[places]] == slots
        column[found] = ranking.scores[order[places[found]]]
    return column


def payload_columns(
    variables: Iterable[PayloadVariable], slots: Slots, reader: Reader, fields: FieldIndexes | None, budget: Budget
) -> Mapping[PayloadVariable, Values]:
    """A column (n,) for each variable; NaN where a payload lacks it. Requires: slots ascend.

    For many slots, indexes of `fields` are used. For the other variables each payload is read once.
    """
    columns: dict[PayloadVariable, Values] = {}
    compiled: dict[PayloadVariable, Callable[[_Payload], float | None]] = {}
    for variable in variables:
        index = None
        if fields is not None and SLOTS_PER_INDEX * len(slots) >= reader.point_count:
            index = fields.get(reader, variable.path, budget)
        if index is not None:
            columns[variable] = _index_column(variable, slots, index, budget)
        else:
            columns[variable], compiled[variable] = np.full(len(slots), np.nan), _compile(variable)
    if not compiled:
        return columns
    keys = frozenset(first_key(variable.path) for variable in compiled)
    pairs = [(columns[variable], value_in) for variable, value_in in compiled.items()]
    for number, payload in enumerate(_payloads(slots, keys, reader, budget)):
        for column, value_in in pairs:
            value = value_in(payload)
            if value is not None:
                column[number] = value
    return columns


def _index_column(variable: PayloadVariable, slots: Slots, index: FieldIndex, budget: Budget) -> Values:
    """The first value of each slot that the variable can read. Entries of a slot are in the order of the payload."""
    if isinstance(variable, FieldValue):
        of_values = index.values.numbers(index.value_count)
    else:
        read, of_values = _reading(variable), np.full(index.value_count, np.nan)
        for code, value in enumerate(index.values.values[: index.value_count]):
            if code % ROWS_PER_CHECK == 0:
                budget.check()
            found = read(value)
            of_values[code] = np.nan if found is None else found
    values = of_values[index.codes]
    readable = ~np.isnan(values)
    owners, values = index.slots[readable], values[readable]
    column = np.full(1 + max(int(owners.max(initial=0)), int(slots.max(initial=0))), np.nan)
    column[owners[::-1]] = values[::-1]  # entries are written last to first, so the first value stays
    return column[slots]


def _payloads(slots: Slots, keys: frozenset[str], reader: Reader, budget: Budget) -> Iterator[_Payload]:
    if RANDOM_READ_COST * len(slots) <= reader.point_count:
        for number, slot in enumerate(slots.tolist()):
            if number % ROWS_PER_CHECK == 0:
                budget.check()
            yield reader.codec.decode(reader.record(slot).payload, keys)
        return
    wanted = iter(slots.tolist())
    next_slot = next(wanted, None)
    for number, (slot, payload) in enumerate(reader.payloads(keys)):
        if number % ROWS_PER_CHECK == 0:
            budget.check()
        if slot == next_slot:
            yield payload
            next_slot = next(wanted, None)


def _compile(variable: PayloadVariable) -> Callable[[_Payload], float | None]:
    steps, read = parse_path(variable.path), _reading(variable)

    def value_in(payload: _Payload) -> float | None:
        for value in values_at(payload, steps):
            for element in value if isinstance(value, list) else (value,):
                found = read(element)
                if found is not None:
                    return found
        return None

    return value_in


def _reading(variable: PayloadVariable) -> Callable[[object], float | None]:
    match variable:
        case FieldValue():
            return _number
        case DatetimeKey():
            return lambda value: seconds_of(value) if isinstance(value, str) else None
        case GeoDistance(origin=origin):
            return lambda value: None if (location := _location(value)) is None else distance(origin, location)
    assert_never(variable)


def _location(value: object) -> GeoPoint | None:
    """The location of a value. Indexes hold locations, payloads hold objects."""
    return value if isinstance(value, GeoPoint) else location_of(value)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def missing_reason(variable: PayloadVariable) -> str:
    """Why a point lacks the variable."""
    names: Sequence[tuple[type, str]] = ((FieldValue, "number"), (DatetimeKey, "instant"), (GeoDistance, "location"))
    name = next(name for kind, name in names if isinstance(variable, kind))
    return f"there is no {name} at {variable.path!r}, and no default"
