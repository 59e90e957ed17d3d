"""Tests of the values at a path: equality, ranges, counts, and whether there is a value. Evaluates nothing."""

from collections.abc import Iterable
from typing import TypeVar

from headwater._conditions.conditions import (
    AnyOf,
    Bound,
    Equal,
    ExceptOf,
    Exists,
    Filter,
    IsEmpty,
    IsNull,
    Range,
    Scalar,
    ValuesCount,
)

_T = TypeVar("_T")


class ValueTests:
    """The methods of a field that test values of any type."""

    __slots__ = ()

    path: str

    def eq(self, value: Scalar) -> Equal:
        """Equal to `value`."""
        return Equal(self.path, value)

    def ne(self, value: Scalar) -> Filter:
        """Not equal to `value`: also true where the field is missing. False if any element of an array is equal."""
        return ~self.eq(value)

    def any_of(self, values: Iterable[Scalar]) -> AnyOf:
        """Equal to one of `values`."""
        return AnyOf(self.path, listed(values))

    def except_of(self, values: Iterable[Scalar]) -> ExceptOf:
        """Present and equal to none of `values`."""
        return ExceptOf(self.path, listed(values))

    def gt(self, bound: Bound) -> Range:
        """Greater than `bound`, a number or a string."""
        return Range(self.path, gt=bound)

    def gte(self, bound: Bound) -> Range:
        """Greater than or equal to `bound`, a number or a string."""
        return Range(self.path, gte=bound)

    def lt(self, bound: Bound) -> Range:
        """Less than `bound`, a number or a string."""
        return Range(self.path, lt=bound)

    def lte(self, bound: Bound) -> Range:
        """Less than or equal to `bound`, a number or a string."""
        return Range(self.path, lte=bound)

    def between(self, low: Bound, high: Bound, inclusive: bool = True) -> Range:
        """From `low` to `high`. Both ends count, unless `inclusive` is false."""
        return Range(self.path, gte=low, lte=high) if inclusive else Range(self.path, gt=low, lt=high)

    def range(
        self, *, gt: Bound | None = None, gte: Bound | None = None, lt: Bound | None = None, lte: Bound | None = None
    ) -> Range:
        """Within the bounds that are given: all numbers, or all strings."""
        return Range(self.path, gt=gt, gte=gte, lt=lt, lte=lte)

    def values_count(
        self, *, gt: int | None = None, gte: int | None = None, lt: int | None = None, lte: int | None = None
    ) -> ValuesCount:
        """An array whose number of elements is within the bounds. A single value counts as 1, None as 0."""
        return ValuesCount(self.path, gt=gt, gte=gte, lt=lt, lte=lte)

    def exists(self) -> Exists:
        """There is a value, None included."""
        return Exists(self.path)

    def is_null(self) -> IsNull:
        """Present and null."""
        return IsNull(self.path)

    def is_empty(self) -> IsEmpty:
        """Absent, null, [] or ""."""
        return IsEmpty(self.path)


def listed(values: Iterable[_T]) -> tuple[_T, ...]:
    """The values as a tuple. Raises TypeError for a string, since a list of its characters is never meant."""
    if isinstance(values, str):
        raise TypeError(f"a list is expected, not the string {values!r}")
    try:
        return tuple(values)
    except TypeError:
        raise TypeError(f"a list of values is expected, not {type(values).__name__}") from None
