"""Scores of points by a formula. Its parts are columns of float64; the result is rounded to float32 once.

A part may have no result, such as the logarithm of 0. Then a reason is kept instead, since the formula may still have a
result: a product with 0 is 0.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from planner.errors import InvalidQuery
from planner.filtering import RANDOM_READ_COST
from planner.query import (
    Constant,
    Datetime,
    DatetimeKey,
    Decay,
    Div,
    Expression,
    FieldValue,
    Filter,
    Formula,
    GeoDistance,
    Holds,
    ListFunction,
    OfList,
    OfOne,
    PayloadVariable,
    Pow,
    PrefetchScore,
    Written,
    below,
    describe_formula,
    kind_of,
    parts_of,
    score_key,
    walk,
)
from planner.rank.formula_checks import check_part, check_size, default_keys, default_of, instant_seconds
from planner.rank.formula_functions import NO_POWER, NO_RESULT, Mask, Values, decay, of_list, of_one, power
from planner.rank.formula_variables import (
    Slots,
    missing_reason,
    payload_columns,
    score_column,
)
from planner.rank.ranker import Ranker, Statistics
from planner.rank.ranking import Ranking, ranked
from planner.rank.run_context import RunContext
from planner.resolve import Asked, CheckedFilter, Unread, check_filter

FINE = -1
ANYTHING = 1.0
"""The value where there is no result. Every function has a result for it."""

_FLOAT32_MAX = float(np.finfo(np.float32).max)


@dataclass(frozen=True, slots=True)
class Column:
    """Finite values (n,), and for each the number of the reason why it has no result (int32, (n,)), or FINE."""

    values: Values
    reasons: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class ByFormula(Ranker):
    """The value of a formula, which the request holds at `path`. The other fields follow from the formula.

    `list_defaults`: the scores of points that the list of a prefetch lacks, by number. `defaults`: numbers for what a
    payload lacks. `instants`: seconds from 1970 in UTC. `filters`: those of conditions, checked.
    """

    formula: Formula
    path: str = field(compare=False)
    list_defaults: tuple[float, ...] = field(compare=False)
    defaults: Mapping[PayloadVariable, float] = field(compare=False)
    instants: Mapping[Datetime, float] = field(compare=False)
    filters: Mapping[Filter, CheckedFilter] = field(compare=False)

    @property
    def name(self) -> str:
        return "formula"

    def describe(self) -> dict[str, str]:
        return describe_formula(self.formula)

    def rank(
        self,
        slots: Slots,
        run: RunContext,
        lists: Sequence[Ranking] = (),
        limit: int | None = None,
        statistics: Statistics | None = None,
    ) -> tuple[Ranking, int]:
        return rank_by_formula(self, slots, lists, run, limit), 0


def rank_by_formula(
    bound: ByFormula,
    slots: Slots,
    lists: Sequence[Ranking],
    run: RunContext,
    limit: int | None = None,
) -> Ranking:
    """The first `limit` of `slots` (n,), ascending, that have a score. `lists` are the rankings of the prefetches.

    Raises InvalidQuery for a point without a score unless the formula drops it, DeadlineExceeded, Cancelled.
    """
    formula, path = bound.formula, f"{bound.path}.expression"
    variables = {part for _, part in walk(formula.expression, path) if isinstance(part, PayloadVariable)}
    columns = payload_columns(variables, slots, run.reader, run.sets.fields, run.budget)
    evaluation = _Evaluation(bound, slots, lists, columns, run)
    with np.errstate(all="ignore"):
        found = evaluation.column(formula.expression, path)
    fine = found.reasons == FINE
    if not fine.all() and not formula.drop_undefined:
        first = int(np.argmin(fine))
        [point_id] = run.reader.point_ids(slots[first : first + 1])
        where, what = evaluation.reasons[found.reasons[first]]
        raise InvalidQuery(where, f"point {point_id!r} has no score: {what}", point_id=point_id)
    scores = np.clip(found.values[fine], -_FLOAT32_MAX, _FLOAT32_MAX).astype(np.float32)
    return ranked(slots[fine], scores + np.float32(0), run.reader, limit=limit)  # -0.0 becomes 0.0


@dataclass(slots=True)
class _Evaluation:
    """One formula over `slots` (n,). `reasons` has the field and the text of each reason, by its number in columns."""

    bound: ByFormula
    slots: Slots
    lists: Sequence[Ranking]
    payload: Mapping[PayloadVariable, Values]
    run: RunContext
    reasons: list[tuple[str, str]] = field(default_factory=list)

    def column(self, expression: Expression, path: str) -> Column:
        """The values of the expression at `path` of the request. Reasons also name the kind of the expression."""
        self.run.budget.check()
        parts = [self.column(part, below(path, name)) for name, part in parts_of(expression)]
        values = [part.values for part in parts]
        where = below(path, kind_of(expression))
        match expression:
            case Constant() | Datetime() | PrefetchScore() | Holds():
                return self._fine(self._known(expression))
            case FieldValue() | GeoDistance() | DatetimeKey():
                return self._variable(expression, where)
            case OfList(function=function):
                result = self._made(of_list(function, values), parts, where)
                return _zero_where_any_is(result, parts) if function is ListFunction.MULT else result
            case OfOne(function=single):
                why = NO_RESULT.get(single, "")
                return self._made(of_one(single, values[0], self.run.budget), parts, where, why)
            case Pow():
                return self._made(power(values[0], values[1], self.run.budget), parts, where, NO_POWER)
            case Div(by_zero_default=default):
                return self._quotient(parts, default, where)
            case Decay(target=target):
                middle = None if target is None else values[1]
                return self._made(decay(expression, values[0], middle, self.run.budget), parts, where)
            case Written():
                return parts[0]
        assert_never(expression)

    def _known(self, expression: Constant | Datetime | PrefetchScore | Holds) -> Values:
        match expression:
            case Constant(value=value):
                return np.full(len(self.slots), value, np.float64)
            case Datetime():
                return np.full(len(self.slots), self.bound.instants[expression])
            case PrefetchScore(index=index):
                return score_column(self.lists[index], self.slots, self.bound.list_defaults[index])
            case Holds(filter=filter):
                return self._holds(self.bound.filters[filter]).astype(np.float64)
        assert_never(expression)

    def _holds(self, filter: CheckedFilter) -> Mask:
        if RANDOM_READ_COST * len(self.slots) <= self.run.reader.point_count:
            return self.run.sets.gate(filter, self.slots)
        return np.isin(self.slots, self.run.sets.matching(filter).slots, assume_unique=True)

    def _variable(self, variable: PayloadVariable, path: str) -> Column:
        values = self.payload[variable]
        missing = np.isnan(values)
        default = self.bound.defaults.get(variable)
        if default is not None:
            return self._fine(np.where(missing, default, values))
        return self._without(self._fine(values), missing, path, missing_reason(variable))

    def _quotient(self, parts: Sequence[Column], default: float | None, path: str) -> Column:
        left, right = (part.values for part in parts)
        by_zero = right == 0
        quotients = np.divide(
            left, right, out=np.full_like(left, ANYTHING if default is None else default), where=~by_zero
        )
        made = self._made(quotients, parts, path)
        return made if default is not None else self._without(made, by_zero, path, "a number is divided by 0")

    def _made(self, values: Values, parts: Sequence[Column], path: str, why_nan: str = "") -> Column:
        """A column that is computed from `parts`.

        It has no result where a part has none, or where its value is not finite.
        """
        reasons = reduce(lambda one, other: np.where(one == FINE, other, one), [part.reasons for part in parts])
        column = self._without(Column(values, reasons), np.isnan(values), path, why_nan or "the result is no number")
        return self._without(column, np.isinf(values), path, "the result is too large")

    def _without(self, column: Column, bad: Mask, path: str, why: str) -> Column:
        """The column, without results where `bad`."""
        if not bad.any():
            return column
        self.reasons.append((path, why))
        new = bad & (column.reasons == FINE)
        reasons = np.where(new, np.int32(len(self.reasons) - 1), column.reasons)
        return Column(np.where(bad, ANYTHING, column.values), reasons)

    @staticmethod
    def _fine(values: Values) -> Column:
        return Column(values, np.full(len(values), FINE, np.int32))


def _zero_where_any_is(product: Column, parts: Sequence[Column]) -> Column:
    zero = reduce(np.logical_or, ((part.values == 0) & (part.reasons == FINE) for part in parts))
    return Column(np.where(zero, 0.0, product.values), np.where(zero, np.int32(FINE), product.reasons))


def bind_formula(formula: Formula, asked: Asked) -> Unread[ByFormula]:
    """Binds a formula. Raises InvalidQuery, NotFinite, LimitExceeded, and what the filters of conditions may raise."""
    asked.refuse_using("a formula")
    path, lists = f"{asked.path}query.formula", len(asked.stage.prefetch)
    root = f"{path}.expression"
    check_size(formula.expression, root)
    scores, values = default_keys(formula, f"{path}.defaults")
    defaults: dict[PayloadVariable, float] = {}
    instants: dict[Datetime, float] = {}
    filters: dict[Filter, CheckedFilter] = {}
    for where, part in walk(formula.expression, root):
        check_part(part, lists, where)
        if isinstance(part, Datetime):
            instants[part] = instant_seconds(part.text, below(where, "datetime"))
        elif isinstance(part, Holds):
            filters[part.filter] = check_filter(part.filter, asked.schema, below(where, "condition"))
        elif isinstance(part, PayloadVariable) and part.path in values:
            defaults[part] = default_of(part, values[part.path], f'{path}.defaults["{part.path}"]')
    list_defaults = tuple(scores.get(score_key(number)) or 0.0 for number in range(lists))
    bound = ByFormula(formula, path, list_defaults, defaults, instants, filters)
    return lambda _: bound
