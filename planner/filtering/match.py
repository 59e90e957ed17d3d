"""Which points match a filter. Payload conditions are tested in Python in one pass, and numpy combines the results.

What a single payload condition means is in predicate/conditions.py.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from planner.errors import PatternTooCostly
from planner.filtering.row_tests import Mask, Rows, conditions_of, test_rows
from planner.payload_index import FieldIndexes, Slots, serve
from planner.predicate import (
    ConditionReport,
    IdCondition,
    ServedBy,
    by_payloads,
    first_key,
    holds_of_id,
    ids_named,
    is_on_id,
)
from planner.query import Condition, Filter, HasId, HasVector, PayloadCondition
from planner.resolve import CheckedFilter
from storage.budget import UNLIMITED, Budget
from storage.schema import PointId
from storage.tables import PointRecord, Reader

RANDOM_READ_COST = 4
"""Reading one record by its slot takes about as long as reading this many records in order."""


def matching_slots(
    reader: Reader,
    filter: CheckedFilter,
    budget: Budget = UNLIMITED,
    fields: FieldIndexes | None = None,
    reports: list[ConditionReport] | None = None,
) -> NDArray[np.uint32]:
    """Slots of the points that match, ascending. Indexes of `fields` are used.

    What tested each condition is added to `reports`. Raises PatternTooCostly if a text is too long for a pattern and
    the other conditions do not decide. So this depends neither on indexes nor on an order.
    """
    ids = required_ids(filter)
    if ids is not None:
        found = reader.slots_of(ids)
        slots = np.unique(found[found >= 0]).astype(np.uint32)
        if reports is not None:
            reports += by_payloads(payload_conditions(filter))
        return slots[matches(reader, filter, slots, budget=budget)]
    conditions = payload_conditions(filter)
    answers = serve(fields, reader, conditions, budget) if fields is not None and conditions else {}
    served = {condition: answer.slots for condition, answer in answers.items()}
    rows = _test_the_rest(reader, filter, [each for each in conditions if each not in served], served, budget)
    if reports is not None:
        reports += [ConditionReport(condition, answer.by, len(answer.slots)) for condition, answer in answers.items()]
        for condition, mask in rows.holds.items():
            tested = None if rows.tested[condition] == reader.point_count else rows.tested[condition]
            reports.append(ConditionReport(condition, ServedBy.PAYLOADS, int(mask.sum()), tested))
    holds = {condition: np.isin(rows.slots, slots, assume_unique=True) for condition, slots in served.items()}
    rows = _with_ids(filter, replace(rows, holds={**rows.holds, **holds}), reader, budget)
    return rows.slots[_decided(_judge(filter, rows, reader))]


def _test_the_rest(
    reader: Reader,
    filter: Filter,
    rest: list[PayloadCondition],
    served: Mapping[PayloadCondition, Slots],
    budget: Budget,
) -> Rows:
    """The points that may match, tested by the conditions that no index served."""
    needed = [served[condition] for condition in filter.must if condition in served]  # type: ignore[index]
    candidates = min(needed, key=len) if needed else None
    if not rest:
        return Rows(reader.all_slots() if candidates is None else candidates, {})
    if candidates is None or RANDOM_READ_COST * len(candidates) > reader.point_count:
        return test_rows(rest, reader.payloads(_keys(rest)), budget, filter)
    return test_rows(rest, _decode(reader, reader.existing(candidates), _keys(rest)), budget, filter)


def matches(
    reader: Reader,
    filter: CheckedFilter,
    slots: NDArray[np.uint32],
    *,
    records: Sequence[PointRecord] | None = None,
    budget: Budget = UNLIMITED,
) -> Mask:
    """A mask (n,): which of `slots` (n,) match. `records` are the records of the slots, if the caller has them.

    Raises PatternTooCostly as `matching_slots` does.
    """
    return _decided(judged(reader, filter, slots, records=records, budget=budget))


@dataclass(frozen=True, slots=True)
class Judgement:
    """Which points match, and for which this is unknown, since a text is too long for a pattern.

    `matches` and `doubtful` are masks (n,). `refusal` says which text and pattern.
    """

    matches: Mask
    doubtful: Mask
    refusal: PatternTooCostly | None = None


def judged(
    reader: Reader,
    filter: CheckedFilter,
    slots: NDArray[np.uint32],
    *,
    records: Sequence[PointRecord] | None = None,
    budget: Budget = UNLIMITED,
) -> Judgement:
    """As `matches`, for callers that can leave some points undecided."""
    conditions = payload_conditions(filter)
    if not conditions:
        return _judge(filter, _with_ids(filter, Rows(slots, {}), reader, budget), reader)
    found: Iterable[PointRecord] = map(reader.record, slots.tolist()) if records is None else records
    rows = test_rows(conditions, _decode(reader, found, _keys(conditions)), budget, filter)
    return _judge(filter, _with_ids(filter, rows, reader, budget), reader)


def _judge(filter: Filter, rows: Rows, reader: Reader) -> Judgement:
    """Combines the results of single conditions as the filter says."""
    certain = _mask(filter, rows, reader)
    if rows.refusal is None:
        return Judgement(certain, np.zeros(len(certain), np.bool_))
    return Judgement(certain, _mask(filter, rows, reader, hope=True) & ~certain, rows.refusal)


def _decided(judgement: Judgement) -> Mask:
    if judgement.refusal is not None and judgement.doubtful.any():
        raise judgement.refusal
    return judgement.matches


def required_ids(filter: Filter) -> tuple[PointId, ...] | None:
    """The ids that the filter names; every match is one of them. None if it names none."""
    for condition in filter.must:
        if (named := ids_named(condition)) is not None:
            return named
        if isinstance(condition, Filter) and (ids := required_ids(condition)) is not None:
            return ids
    return None


def payload_conditions(filter: Filter) -> list[PayloadCondition]:
    """The distinct payload conditions at all levels."""
    found: dict[PayloadCondition, None] = {}
    for condition in conditions_of(filter):
        if isinstance(condition, Filter):
            found.update(dict.fromkeys(payload_conditions(condition)))
        elif not isinstance(condition, HasId | HasVector) and not is_on_id(condition):
            found[condition] = None
    return list(found)


def _id_conditions(filter: Filter) -> Iterator[IdCondition]:
    """The conditions on the point's id, at all levels."""
    for condition in conditions_of(filter):
        if isinstance(condition, Filter):
            yield from _id_conditions(condition)
        elif isinstance(condition, IdCondition) and is_on_id(condition):
            yield condition


def _with_ids(filter: Filter, rows: Rows, reader: Reader, budget: Budget) -> Rows:
    """The rows, with the results of conditions on ids added."""
    found: dict[PayloadCondition, Mask] = {
        each: holds_of_id(each, rows.slots, reader, budget) for each in dict.fromkeys(_id_conditions(filter))
    }
    return replace(rows, holds={**rows.holds, **found}) if found else rows


def _keys(conditions: Iterable[PayloadCondition]) -> frozenset[str]:
    return frozenset(first_key(condition.path) for condition in conditions)


def _decode(
    reader: Reader, records: Iterable[PointRecord], keys: frozenset[str]
) -> Iterator[tuple[int, dict[str, object]]]:
    for record in records:
        yield record.slot, reader.codec.decode(record.payload, keys)


def _mask(condition: Condition, rows: Rows, reader: Reader, *, hope: bool = False) -> Mask:
    """A mask (n,): where the condition holds. With `hope`: where it may hold."""
    match condition:
        case Filter():
            return _clauses_mask(condition, rows, reader, hope=hope)
        case HasId(ids=ids):
            return np.isin(rows.slots, reader.slots_of(ids))
        case HasVector(using=using):
            if using not in reader.schema.names:  # the space was dropped after the filter of a queued write was checked
                return np.zeros(len(rows.slots), np.bool_)
            return np.isin(rows.slots, reader.slots_with_vector(using))
        case _:
            holds = rows.holds[condition]
            return holds | rows.unknown[condition] if hope and condition in rows.unknown else holds


def _clauses_mask(filter: Filter, rows: Rows, reader: Reader, *, hope: bool) -> Mask:
    def masks(conditions: Iterable[Condition], hope: bool = hope) -> Iterator[Mask]:
        return (_mask(condition, rows, reader, hope=hope) for condition in conditions)

    none = np.zeros(len(rows.slots), np.bool_)
    result = reduce(np.logical_and, masks(filter.must), ~none)
    if filter.should:
        result &= reduce(np.logical_or, masks(filter.should), none)
    if filter.must_not:
        result &= ~reduce(np.logical_or, masks(filter.must_not, not hope), none)
    if filter.min_should is not None:
        count = sum((mask.astype(np.int64) for mask in masks(filter.min_should.conditions)), none.astype(np.int64))
        result &= count >= filter.min_should.min_count
    return result
