"""Filters: which points take part. Conditions as values that combine with `&`, `|` and `~`. Evaluates nothing.

    Field("price").lte(200.0) & ~Field("brand").any_of(["acme", "umbra"])
    FilterBuilder().must(Field("kind").eq("shoe")).should(Field("rating").gte(4), has_id([1, 2])).build()

A field that is missing makes every condition on it false, except `is_empty`; so `~` of a condition is true there.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Self
from uuid import UUID

Scalar = str | int | float | bool
Number = int | float


@dataclass(frozen=True)
class Condition:
    """A test of one point. Combine conditions with `&`, `|` and `~`."""

    def __and__(self, other: "Condition") -> "Filter":
        return Filter(must=(*_operands(self, "must"), *_operands(other, "must")))

    def __or__(self, other: "Condition") -> "Filter":
        return Filter(should=(*_operands(self, "should"), *_operands(other, "should")))

    def __invert__(self) -> "Filter":
        return Filter(must_not=(self,))

    def __bool__(self) -> bool:
        raise TypeError("a condition has no truth value: combine conditions with &, | and ~, not with and, or and not")


@dataclass(frozen=True)
class Equal(Condition):
    """Some value at `path` equals `value`. Integers and floats compare as numbers."""

    path: str
    value: Scalar


@dataclass(frozen=True)
class AnyOf(Condition):
    """Some value at `path` equals one of `values`."""

    path: str
    values: tuple[Scalar, ...]


@dataclass(frozen=True)
class ExceptOf(Condition):
    """Some value at `path` is present and equals none of `values`."""

    path: str
    values: tuple[Scalar, ...]


@dataclass(frozen=True)
class Range(Condition):
    """Some number at `path` lies within the bounds that are given."""

    path: str
    gt: Number | None = None
    gte: Number | None = None
    lt: Number | None = None
    lte: Number | None = None


@dataclass(frozen=True)
class IsNull(Condition):
    """The value at `path` is present and null."""

    path: str


@dataclass(frozen=True)
class IsEmpty(Condition):
    """The value at `path` is absent, null, [] or ""."""

    path: str


@dataclass(frozen=True)
class HasId(Condition):
    """The id is one of `ids`."""

    ids: tuple[int | str | UUID, ...]


@dataclass(frozen=True)
class HasVector(Condition):
    """The point has a vector in the space `using`."""

    using: str


@dataclass(frozen=True)
class MinShould:
    """At least `min_count` of `conditions` hold."""

    conditions: tuple[Condition, ...]
    min_count: int


@dataclass(frozen=True)
class Filter(Condition):
    """All clauses hold: every `must`, one `should` if there is any, no `must_not`, and `min_should`.

    An empty filter matches every point. A filter is a condition too, so filters nest.
    """

    must: tuple[Condition, ...] = ()
    should: tuple[Condition, ...] = ()
    must_not: tuple[Condition, ...] = ()
    min_should: MinShould | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """The values at a payload path: `a`, `a.b`, or `a[].b` for every element of the array `a`.

    On an array a condition holds if it holds for any element.
    """

    path: str

    def eq(self, value: Scalar) -> Equal:
        """Equal to `value`."""
        return Equal(self.path, value)

    def ne(self, value: Scalar) -> Filter:
        """Not equal to `value`: also where the field is missing, and false where any element is equal."""
        return ~self.eq(value)

    def any_of(self, values: Iterable[Scalar]) -> AnyOf:
        """Equal to one of `values`."""
        return AnyOf(self.path, tuple(values))

    def except_of(self, values: Iterable[Scalar]) -> ExceptOf:
        """Present and equal to none of `values`."""
        return ExceptOf(self.path, tuple(values))

    def gt(self, bound: Number) -> Range:
        """Greater than `bound`."""
        return Range(self.path, gt=bound)

    def gte(self, bound: Number) -> Range:
        """Greater than or equal to `bound`."""
        return Range(self.path, gte=bound)

    def lt(self, bound: Number) -> Range:
        """Less than `bound`."""
        return Range(self.path, lt=bound)

    def lte(self, bound: Number) -> Range:
        """Less than or equal to `bound`."""
        return Range(self.path, lte=bound)

    def between(self, low: Number, high: Number) -> Range:
        """From `low` to `high`, both included."""
        return Range(self.path, gte=low, lte=high)

    def range(
        self,
        *,
        gt: Number | None = None,
        gte: Number | None = None,
        lt: Number | None = None,
        lte: Number | None = None,
    ) -> Range:
        """Within the bounds that are given."""
        return Range(self.path, gt=gt, gte=gte, lt=lt, lte=lte)

    def is_null(self) -> IsNull:
        """Present and null."""
        return IsNull(self.path)

    def is_empty(self) -> IsEmpty:
        """Absent, null, [] or ""."""
        return IsEmpty(self.path)


def is_null(path: str) -> IsNull:
    """The value at `path` is present and null."""
    return IsNull(path)


def is_empty(path: str) -> IsEmpty:
    """The value at `path` is absent, null, [] or ""."""
    return IsEmpty(path)


def has_id(ids: Iterable[int | str | UUID]) -> HasId:
    """The id is one of `ids`."""
    return HasId(tuple(ids))


def has_vector(using: str = "") -> HasVector:
    """The point has a vector in the space `using`."""
    return HasVector(using)


class FilterBuilder:
    """Builds a filter clause by clause; each method adds and returns the builder."""

    def __init__(self) -> None:
        self._must: list[Condition] = []
        self._should: list[Condition] = []
        self._must_not: list[Condition] = []
        self._min_should: MinShould | None = None

    def must(self, *conditions: Condition) -> Self:
        """Every one holds."""
        self._must += conditions
        return self

    def should(self, *conditions: Condition) -> Self:
        """At least one of all that were added holds."""
        self._should += conditions
        return self

    def must_not(self, *conditions: Condition) -> Self:
        """None holds."""
        self._must_not += conditions
        return self

    def min_should(self, conditions: Iterable[Condition], *, min_count: int) -> Self:
        """At least `min_count` of these hold. A filter has one such clause; a second is ValueError."""
        if self._min_should is not None:
            raise ValueError("a filter has one min_should clause; nest a filter for another")
        self._min_should = MinShould(tuple(conditions), min_count)
        return self

    def build(self) -> Filter:
        """The filter so far."""
        return Filter(tuple(self._must), tuple(self._should), tuple(self._must_not), self._min_should)


FilterLike = Condition | FilterBuilder
"""What `filter=` takes: a Filter or any other condition, or a builder."""


def _operands(condition: Condition, clause: Literal["must", "should"]) -> tuple[Condition, ...]:
    """The conditions of a filter that has this clause only, so that chains stay flat; else the condition itself."""
    if isinstance(condition, Filter):
        alone = Filter(must=condition.must) if clause == "must" else Filter(should=condition.should)
        if condition == alone != Filter():
            return condition.must or condition.should
    return (condition,)
