"""Which points match a filter: payload conditions are tested in Python in one pass, the logic over them is numpy's.

What a single payload condition means is in conditions.py.
"""

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from planner.condition_cost import cost_of
from planner.condition_reports import ConditionReport, ServedBy, by_payloads
from planner.conditions import compile_condition
from planner.field_index import Slots
from planner.field_indexes import FieldIndexes
from planner.filter import Condition, Filter, HasId, HasVector, PayloadCondition
from planner.limits import ROWS_PER_CHECK
from planner.paths import first_key
from storage.budget import UNLIMITED, Budget
from storage.reader import Reader
from storage.records import PointRecord
from storage.schema import PointId

FEW = 4
"""Reading one record of this many points takes about as long as reading all of them in order."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Rows:
    """Points under test: their slots (uint32, (n,)), and for each payload condition of the filter whether it holds.

    `tested`: on how many of them each was tested. Where it was not, another that is needed does not hold.
    """

    slots: NDArray[np.uint32]
    holds: Mapping[PayloadCondition, Mask]
    tested: Mapping[PayloadCondition, int] = field(default_factory=dict)


def matching_slots(
    reader: Reader,
    filter: Filter,
    budget: Budget = UNLIMITED,
    fields: FieldIndexes | None = None,
    reports: list[ConditionReport] | None = None,
) -> NDArray[np.uint32]:
    """Slots of the points that match, ascending. Indexes of `fields` are used. Requires: a valid filter.

    What tested each condition is added to `reports`.
    """
    ids = required_ids(filter)
    if ids is not None:
        found = reader.slots_of(ids)
        slots = np.unique(found[found >= 0]).astype(np.uint32)
        if reports is not None:
            reports += by_payloads(payload_conditions(filter))
        return slots[matches(reader, filter, slots, budget=budget)]
    conditions = payload_conditions(filter)
    answers = fields.serve(reader, conditions, budget) if fields is not None and conditions else {}
    served = {condition: answer.slots for condition, answer in answers.items()}
    rows = _test_the_rest(reader, filter, [each for each in conditions if each not in served], served, budget)
    if reports is not None:
        reports += [ConditionReport(condition, answer.by, len(answer.slots)) for condition, answer in answers.items()]
        for condition, mask in rows.holds.items():
            tested = None if rows.tested[condition] == reader.point_count else rows.tested[condition]
            reports.append(ConditionReport(condition, ServedBy.PAYLOADS, int(mask.sum()), tested))
    holds = {condition: np.isin(rows.slots, slots, assume_unique=True) for condition, slots in served.items()}
    rows = _Rows(rows.slots, {**rows.holds, **holds})
    return rows.slots[_mask(filter, rows, reader)]


def _test_the_rest(
    reader: Reader,
    filter: Filter,
    rest: list[PayloadCondition],
    served: Mapping[PayloadCondition, Slots],
    budget: Budget,
) -> _Rows:
    """Points among which every match is, tested by the conditions that no index served."""
    needed = [served[condition] for condition in filter.must if condition in served]  # type: ignore[index]
    candidates = min(needed, key=len) if needed else None
    if not rest:
        return _Rows(reader.all_slots() if candidates is None else candidates, {})
    if candidates is None or FEW * len(candidates) > reader.point_count:
        return _test(rest, reader.payloads(_keys(rest)), budget, filter)
    return _test(rest, _decode(reader, reader.existing(candidates), _keys(rest)), budget, filter)


def matches(
    reader: Reader,
    filter: Filter,
    slots: NDArray[np.uint32],
    *,
    records: Sequence[PointRecord] | None = None,
    budget: Budget = UNLIMITED,
) -> Mask:
    """Whether each of `slots` (n,) matches. `records` are those of the slots, if they are at hand."""
    conditions = payload_conditions(filter)
    if not conditions:
        return _mask(filter, _Rows(slots, {}), reader)
    found = reader.records(slots) if records is None else records
    return _mask(filter, _test(conditions, _decode(reader, found, _keys(conditions)), budget, filter), reader)


def required_ids(filter: Filter) -> tuple[PointId, ...] | None:
    """Ids among which every match is, when the filter names them; None when it does not."""
    for condition in filter.must:
        if isinstance(condition, HasId):
            return condition.ids
        if isinstance(condition, Filter) and (ids := required_ids(condition)) is not None:
            return ids
    return None


def payload_conditions(filter: Filter) -> list[PayloadCondition]:
    """The distinct ones at all levels."""
    found: dict[PayloadCondition, None] = {}
    for condition in _conditions(filter):
        if isinstance(condition, Filter):
            found.update(dict.fromkeys(payload_conditions(condition)))
        elif not isinstance(condition, HasId | HasVector):
            found[condition] = None
    return list(found)


def _conditions(filter: Filter) -> Iterator[Condition]:
    yield from filter.must
    yield from filter.should
    yield from filter.must_not
    if filter.min_should is not None:
        yield from filter.min_should.conditions


def _keys(conditions: Iterable[PayloadCondition]) -> frozenset[str]:
    return frozenset(first_key(condition.path) for condition in conditions)


def _decode(
    reader: Reader, records: Iterable[PointRecord], keys: frozenset[str]
) -> Iterator[tuple[int, dict[str, object]]]:
    for record in records:
        yield record.slot, reader.codec.decode(record.payload, keys)


def _test(
    conditions: Sequence[PayloadCondition],
    payloads: Iterable[tuple[int, dict[str, object]]],
    budget: Budget,
    filter: Filter,
) -> _Rows:
    """Tests `conditions` of `filter`: first those that every match needs, the cheapest first, until one fails."""
    must = set(filter.must)
    needed = sorted((condition for condition in conditions if condition in must), key=cost_of)
    ordered = [*needed, *(condition for condition in conditions if condition not in must)]
    predicates = [compile_condition(condition) for condition in ordered]
    slots = array("I")
    holds = [bytearray() for _ in ordered]
    tests = list(zip(holds, predicates, strict=True))
    first, others = tests[: len(needed)], tests[len(needed) :]
    for number, (slot, payload) in enumerate(payloads):
        if number % ROWS_PER_CHECK == 0:
            budget.check()
        slots.append(slot)
        passing = True
        for column, predicate in first:
            passing = passing and predicate(payload)
            column.append(passing)
        for column, predicate in others:
            column.append(passing and predicate(payload))
    columns = [np.frombuffer(column, np.uint8).astype(np.bool_) for column in holds]
    counts = [len(slots), *(int(column.sum()) for column in columns[: len(needed)])]
    tested = counts[: len(needed)] + counts[-1:] * (len(ordered) - len(needed))
    return _Rows(
        np.array(slots, np.uint32),
        dict(zip(ordered, columns, strict=True)),
        dict(zip(ordered, tested, strict=True)),
    )


def _mask(condition: Condition, rows: _Rows, reader: Reader) -> Mask:
    match condition:
        case Filter():
            return _clauses_mask(condition, rows, reader)
        case HasId(ids=ids):
            return np.isin(rows.slots, reader.slots_of(ids))
        case HasVector(using=using):
            if using not in reader.schema.names:  # dropped since the filter of a queued write was checked
                return np.zeros(len(rows.slots), np.bool_)
            return np.isin(rows.slots, reader.slots_with_vector(using))
        case _:
            return rows.holds[condition]


def _clauses_mask(filter: Filter, rows: _Rows, reader: Reader) -> Mask:
    def masks(conditions: Iterable[Condition]) -> Iterator[Mask]:
        return (_mask(condition, rows, reader) for condition in conditions)

    none = np.zeros(len(rows.slots), np.bool_)
    result = reduce(np.logical_and, masks(filter.must), ~none)
    if filter.should:
        result &= reduce(np.logical_or, masks(filter.should), none)
    if filter.must_not:
        result &= ~reduce(np.logical_or, masks(filter.must_not), none)
    if filter.min_should is not None:
        count = sum((mask.astype(np.int64) for mask in masks(filter.min_should.conditions)), none.astype(np.int64))
        result &= count >= filter.min_should.min_count
    return result
