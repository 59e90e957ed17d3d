"""Which conditions of a filter are answered by indexes, with what result, and what would answer a condition.

Which paths have an index is in indexes.py. How an index tests a condition is in index.py.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from planner.errors import PatternTooCostly
from planner.payload_index.index import IndexedCondition, Slots
from planner.payload_index.indexes import FieldIndexes, IndexState
from planner.predicate import ConditionReport, ServedBy, path_text
from planner.query import PayloadCondition
from storage.budget import Budget
from storage.tables import Reader


@dataclass(frozen=True, slots=True)
class Served:
    """The points that match a condition: slots, ascending, and the kind of index that answered."""

    slots: Slots
    by: ServedBy


def serve(
    fields: FieldIndexes, reader: Reader, conditions: Iterable[PayloadCondition], budget: Budget
) -> Mapping[PayloadCondition, Served]:
    """The matches of each condition that an index answers. Other conditions are left out.

    Raises DeadlineExceeded, Cancelled.
    """
    by_path: dict[str, list[IndexedCondition]] = {}
    for condition in conditions:
        if isinstance(condition, IndexedCondition):
            by_path.setdefault(path_text(condition.path), []).append(condition)
    served: dict[PayloadCondition, Served] = {}
    for path, tests in by_path.items():
        index = fields.get(reader, path, budget)
        if index is None:
            continue
        by = ServedBy.DECLARED if path in reader.schema.field_indexes else ServedBy.AUTOMATIC
        before = index.bytes
        for test in tests:
            with suppress(PatternTooCostly):  # payloads tell later what the other conditions make of it
                served[test] = Served(index.matching(test, reader, budget), by)
        if index.bytes > before and by is ServedBy.AUTOMATIC:
            fields.fit(reader.collection_uid, path)
    return served


def cover(fields: FieldIndexes, reader: Reader, conditions: Iterable[PayloadCondition]) -> bool:
    """Whether existing indexes answer all conditions at the reader's commit, perhaps after a small update.

    Requires: at least one condition."""
    found = [_is_known(fields, reader, condition) for condition in conditions]
    return bool(found) and all(found)


def foresee(fields: FieldIndexes, reader: Reader, conditions: Iterable[PayloadCondition]) -> list[ConditionReport]:
    """What would test each of the conditions now."""
    return [ConditionReport(condition, _server(fields, reader, condition)) for condition in conditions]


def _server(fields: FieldIndexes, reader: Reader, condition: PayloadCondition) -> ServedBy:
    if not isinstance(condition, IndexedCondition):
        return ServedBy.PAYLOADS
    path = path_text(condition.path)
    if path not in reader.schema.field_indexes:
        return ServedBy.AUTOMATIC if _is_known(fields, reader, condition) else ServedBy.PAYLOADS
    is_building = fields.state(reader.collection_uid, path) is IndexState.BUILDING
    return ServedBy.PAYLOADS if is_building else ServedBy.DECLARED


def _is_known(fields: FieldIndexes, reader: Reader, condition: PayloadCondition) -> bool:
    if reader.pending or not isinstance(condition, IndexedCondition):
        return False
    index = fields.known(reader.collection_uid, path_text(condition.path))
    return index is not None and index.seq <= reader.seq
