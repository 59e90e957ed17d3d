"""Arithmetic of formulas on columns of float64: the result of each function, and where it has none.

Exponentials, powers and logarithms are computed one by one: with numpy, the last bit may depend on a row's position.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from planner.query import Decay, DecayShape, Function, ListFunction
from storage.budget import Budget

Values = NDArray[np.float64]
Mask = NDArray[np.bool_]

ROWS_PER_CHECK = 16_384
"""Results that are computed one by one between two looks at the budget: some milliseconds."""


def of_list(function: ListFunction, parts: Sequence[Values]) -> Values:
    """Computed from left to right, so that rounding does not depend on anything else."""
    match function:
        case ListFunction.SUM:
            return reduce(np.add, parts)
        case ListFunction.MULT:
            return reduce(np.multiply, parts)
        case ListFunction.MIN:
            return reduce(np.minimum, parts)
        case ListFunction.MAX:
            return reduce(np.maximum, parts)
    assert_never(function)


def of_one(function: Function, part: Values, budget: Budget) -> Values:
    """The function's results. NaN where there is none; infinite where it is too large."""
    match function:
        case Function.NEG:
            return -part
        case Function.ABS:
            return np.abs(part)
        case Function.SQRT:
            return np.sqrt(part)
        case Function.EXP:
            return _each(_exp, part, budget)
        case Function.LN:
            return _each(lambda x: math.log(x) if x > 0 else math.nan, part, budget)
        case Function.LOG10:
            return _each(lambda x: math.log10(x) if x > 0 else math.nan, part, budget)
    assert_never(function)


NO_RESULT = {
    Function.SQRT: "a negative number has no square root",
    Function.LN: "only a positive number has a logarithm",
    Function.LOG10: "only a positive number has a logarithm",
}
"""Why a function of one part has no result."""

NO_POWER = "0 has no negative power, and a negative number no fractional one"


def power(base: Values, exponent: Values, budget: Budget) -> Values:
    """The power.

    NaN where there is none (0 to a negative, a negative to a fraction); infinite where it is too large.
    """
    pairs = zip(base.tolist(), exponent.tolist(), strict=True)
    return _collect((_pow(*pair) for pair in pairs), len(base), budget)


def decay(shape: Decay, x: Values, target: Values | None, budget: Budget) -> Values:
    """The decay: 1 at the target, and towards 0 further away."""
    away: Values = np.abs(x if target is None else x - target) / shape.scale
    match shape.shape:
        case DecayShape.LIN:
            falling: Values = np.maximum(0.0, 1.0 - (1.0 - shape.midpoint) * away)
            return falling
        case DecayShape.EXP:
            return _each(_exp, math.log(shape.midpoint) * away, budget)
        case DecayShape.GAUSS:
            return _each(_exp, math.log(shape.midpoint) * (away * away), budget)
    assert_never(shape.shape)


def _each(function: Callable[[float], float], part: Values, budget: Budget) -> Values:
    return _collect(map(function, part.tolist()), len(part), budget)


def _collect(results: Iterator[float], count: int, budget: Budget) -> Values:
    out = np.empty(count)
    for start in range(0, count, ROWS_PER_CHECK):
        budget.check()
        step = min(ROWS_PER_CHECK, count - start)
        out[start : start + step] = np.fromiter(results, np.float64, step)
    return out


def _exp(x: float) -> float:
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


def _pow(base: float, exponent: float) -> float:
    try:
        return math.pow(base, exponent)
    except OverflowError:
        return math.inf
    except ValueError:
        return math.nan
