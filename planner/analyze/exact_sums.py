"""Sums and means of numbers. They do not depend on the order of the numbers, and are rounded once.

Integers are summed exactly. A sum that contains doubles is the double nearest to the exact sum (Shewchuk, Adaptive
Precision Floating-Point Arithmetic, 1997, as in math.fsum).
"""

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import chain, repeat

Numbers = Sequence[tuple[int | float, int]]
"""Finite numbers, each with how often it occurs."""

_INT64 = 2**63


def exact_sum(numbers: Numbers) -> int | float | None:
    """The sum. It is an integer if all numbers are and it fits into 64 bits; else a double, infinite beyond their
    range.

    None if there are no numbers.
    """
    return _sum(numbers) if numbers else None


def _sum(numbers: Numbers) -> int | float:
    total = sum(number * count for number, count in numbers if isinstance(number, int))
    if all(isinstance(number, int) for number, _ in numbers):
        return total if -_INT64 <= total < _INT64 else float(total)
    doubles = chain.from_iterable(repeat(number, count) for number, count in numbers if isinstance(number, float))
    try:
        return math.fsum(chain(doubles, _doubles(total)))
    except OverflowError:  # an intermediate sum, or the result, is beyond the range of doubles
        return _double(_fraction(numbers))


def exact_mean(numbers: Numbers) -> float | None:
    """The mean as a double; None if there are no numbers."""
    if not numbers:
        return None
    count = sum(count for _, count in numbers)
    if all(isinstance(number, int) for number, _ in numbers):
        return sum(int(number) * count for number, count in numbers) / count
    total = _sum(numbers)
    return total / count if math.isfinite(total) else _double(_fraction(numbers) / count)


def _doubles(total: int) -> Iterator[float]:
    """Doubles whose exact sum is `total`."""
    while total:
        nearest = float(total)
        yield nearest
        total -= int(nearest)


def _fraction(numbers: Numbers) -> Fraction:
    return sum((Fraction(number) * count for number, count in numbers), Fraction(0))


def _double(exact: Fraction) -> float:
    try:
        return float(exact)
    except OverflowError:
        return math.inf if exact > 0 else -math.inf
