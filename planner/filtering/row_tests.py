"""Tests payload conditions on points one by one. match.py combines the results."""

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from planner.errors import PatternTooCostly
from planner.limits import ROWS_PER_CHECK
from planner.predicate import MAX_MEMORY, PATTERNS, compile_condition, cost_of
from planner.query import Condition, Filter, Nested, PayloadCondition, TextTest
from storage.budget import Budget

Mask = NDArray[np.bool_]

_UNKNOWN = 2
"""The result of a test that is neither False nor True."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Points under test: their slots (uint32, (n,)), and for each payload condition of the filter a mask `holds` (n,).

    `tested`: on how many points each condition was tested. Elsewhere another condition failed that every match needs.
    `unknown`: masks of the points whose text is too long for the condition's pattern; `refusal` says which text.
    """

    slots: NDArray[np.uint32]
    holds: Mapping[PayloadCondition, Mask]
    tested: Mapping[PayloadCondition, int] = field(default_factory=dict)
    unknown: Mapping[PayloadCondition, Mask] = field(default_factory=dict)
    refusal: PatternTooCostly | None = None


def conditions_of(filter: Filter) -> Iterator[Condition]:
    yield from filter.must
    yield from filter.should
    yield from filter.must_not
    if filter.min_should is not None:
        yield from filter.min_should.conditions


def test_rows(
    conditions: Sequence[PayloadCondition],
    payloads: Iterable[tuple[int, dict[str, object]]],
    budget: Budget,
    filter: Filter,
) -> Rows:
    """Tests `conditions` of `filter` on each payload: first those that every match needs, cheapest first, until one
    fails.
    """
    must = set(filter.must)
    needed = sorted((condition for condition in conditions if condition in must), key=cost_of)
    ordered = [*needed, *(condition for condition in conditions if condition not in must)]
    refusals: list[PatternTooCostly] = []
    with budget.holding(MAX_MEMORY * sum(map(pattern_count, ordered)), "the patterns of the filter"):
        predicates = [_guarded(condition, budget, refusals) for condition in ordered]
        slots, holds = _test_all(ordered, predicates, len(needed), payloads, budget)
    columns = [np.frombuffer(column, np.uint8) for column in holds]
    counts = [len(slots), *(int(np.count_nonzero(column)) for column in columns[: len(needed)])]
    tested = counts[: len(needed)] + counts[-1:] * (len(ordered) - len(needed))
    return Rows(
        np.array(slots, np.uint32),
        {condition: column == 1 for condition, column in zip(ordered, columns, strict=True)},
        dict(zip(ordered, tested, strict=True)),
        {condition: column == _UNKNOWN for condition, column in zip(ordered, columns, strict=True)} if refusals else {},
        refusals[0] if refusals else None,
    )


def _guarded(
    condition: PayloadCondition, budget: Budget, refusals: list[PatternTooCostly]
) -> Callable[[dict[str, object]], int]:
    """The condition's test. It says _UNKNOWN if a text is too long for a pattern, and adds the error to `refusals`."""
    budget.check()
    predicate = compile_condition(condition, budget.pulse())
    if not pattern_count(condition):
        return predicate

    def test(payload: dict[str, object]) -> int:
        try:
            return predicate(payload)
        except PatternTooCostly as error:
            if not refusals:
                refusals.append(error.with_traceback(None))
            return _UNKNOWN

    return test


def pattern_count(condition: Condition) -> int:
    """How many patterns must be compiled for a condition."""
    match condition:
        case TextTest(operator=operator):
            return operator in PATTERNS
        case Nested(filter=filter):
            return sum(map(pattern_count, conditions_of(filter)))
        case Filter():
            return sum(map(pattern_count, conditions_of(condition)))
        case _:
            return 0


def _test_all(
    ordered: Sequence[PayloadCondition],
    predicates: Sequence[Callable[[dict[str, object]], int]],
    needed: int,
    payloads: Iterable[tuple[int, dict[str, object]]],
    budget: Budget,
) -> "tuple[array[int], list[bytearray]]":
    """The slots, and the result of each predicate for each slot. Every match needs the first `needed` predicates."""
    slots = array("I")
    holds = [bytearray() for _ in ordered]
    tests = list(zip(holds, predicates, strict=True))
    first, others = tests[:needed], tests[needed:]
    for number, (slot, payload) in enumerate(payloads):
        if number % ROWS_PER_CHECK == 0:
            budget.check()
        slots.append(slot)
        passing = 1
        for column, predicate in first:
            passing = passing and predicate(payload)
            column.append(passing)
        for column, predicate in others:
            column.append(passing and predicate(payload))
    return slots, holds
