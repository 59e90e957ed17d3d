"""Sums and means are those of exact fractions, in any order of the numbers."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.analyze.exact_sums import exact_mean, exact_sum

INTEGERS = st.integers(-(2**63), 2**63 - 1)
DOUBLES = st.floats(allow_nan=False, allow_infinity=False)
NUMBERS = st.lists(st.tuples(INTEGERS | DOUBLES, st.integers(1, 4)), min_size=1, max_size=12)


def rounded(exact: Fraction) -> float:
    try:
        return float(exact)
    except OverflowError:
        return math.inf if exact > 0 else -math.inf


@given(NUMBERS)
def test_sums_are_rounded_once(numbers: list[tuple[int | float, int]]) -> None:
    exact = sum((Fraction(number) * count for number, count in numbers), Fraction(0))
    found = exact_sum(numbers)
    if all(isinstance(number, int) for number, _ in numbers) and -(2**63) <= exact < 2**63:
        assert type(found) is int
        assert found == exact
    else:
        assert type(found) is float
        assert found == rounded(exact)
    assert exact_sum(numbers[::-1]) == found


@given(NUMBERS)
def test_means_are_near_the_exact_ones(numbers: list[tuple[int | float, int]]) -> None:
    count = sum(count for _, count in numbers)
    exact = sum((Fraction(number) * count for number, count in numbers), Fraction(0)) / count
    found = exact_mean(numbers)
    assert found is not None
    assert found == pytest.approx(rounded(exact), rel=2**-51, abs=1e-320)


def test_nothing_has_no_sum() -> None:
    assert exact_sum([]) is None
    assert exact_mean([]) is None
