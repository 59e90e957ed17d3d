"""Filters choose points by conditions. Conditions combine with `&`, `|` and `~`.

    Field("price").lte(200.0) & ~Field("brand").any_of(["acme", "umbra"])
    FilterBuilder().must(Field("kind").eq("shoe")).should(Field("rating").gte(4), has_id([1, 2])).build()

On a missing field every condition except `is_empty` is false, so `~` of such a condition is true.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from headwater._conditions import (
    AnyOf,
    Bound,
    Comparable,
    Condition,
    DatetimeRange,
    DatetimeTests,
    Equal,
    ExceptOf,
    Exists,
    Filter,
    GeoBoundingBox,
    GeoPolygon,
    GeoRadius,
    HasId,
    HasVector,
    Instant,
    IsEmpty,
    IsNull,
    MinShould,
    Nested,
    Number,
    Place,
    PlaceTests,
    Range,
    Scalar,
    TextOperator,
    TextTest,
    TextTests,
    ValuesCount,
    ValueTests,
    listed,
)

__all__ = [
    "AnyOf",
    "Bound",
    "Condition",
    "DatetimeRange",
    "Equal",
    "ExceptOf",
    "Exists",
    "Field",
    "Filter",
    "FilterBuilder",
    "FilterLike",
    "GeoBoundingBox",
    "GeoPolygon",
    "GeoRadius",
    "HasId",
    "HasVector",
    "Instant",
    "IsEmpty",
    "IsNull",
    "MinShould",
    "Nested",
    "Number",
    "Place",
    "Range",
    "Scalar",
    "TextOperator",
    "TextTest",
    "ValuesCount",
    "exists",
    "has_id",
    "has_vector",
    "is_empty",
    "is_null",
    "nested",
]


@dataclass(frozen=True, slots=True, eq=False)
class Field(ValueTests, DatetimeTests, TextTests, PlaceTests, Comparable):
    """The values at a payload path: `a`, `a.b`, or `a[].b` for every element of the array `a`.

    On an array a condition holds if it holds for at least one element. `==`, `!=`, `<`, `<=`, `>` and `>=` make
    conditions: `(Field("price") < 20) & (Field("kind") == "shoe")`.
    """

    path: str


def is_null(path: str) -> IsNull:
    """Holds when the value at `path` is present and null."""
    return IsNull(path)


def is_empty(path: str) -> IsEmpty:
    """Holds when the value at `path` is absent, null, [] or ""."""
    return IsEmpty(path)


def exists(path: str) -> Exists:
    """Holds when there is a value at `path`; None is a value, too."""
    return Exists(path)


def nested(path: str, filter: "Condition | FilterBuilder") -> Nested:
    """Holds when one element of the array at `path` passes the whole `filter`. Its paths start at the element."""
    given = filter.build() if isinstance(filter, FilterBuilder) else filter
    return Nested(path, given if isinstance(given, Filter) else Filter(must=(given,)))


def has_id(ids: Iterable[int | str | UUID]) -> HasId:
    """Holds when the id of the point is one of `ids`."""
    return HasId(listed(ids))


def has_vector(using: str = "") -> HasVector:
    """Holds when the point has a vector in the space `using`."""
    return HasVector(using)


class FilterBuilder:
    """Builds a filter clause by clause. Each method adds conditions and returns the builder."""

    def __init__(self) -> None:
        self._must: list[Condition] = []
        self._should: list[Condition] = []
        self._must_not: list[Condition] = []
        self._min_should: MinShould | None = None

    def must(self, *conditions: Condition) -> Self:
        """Adds conditions that must all hold."""
        self._must += conditions
        return self

    def should(self, *conditions: Condition) -> Self:
        """Adds conditions of which at least one must hold. Conditions of all calls count together."""
        self._should += conditions
        return self

    def must_not(self, *conditions: Condition) -> Self:
        """Adds conditions that must not hold."""
        self._must_not += conditions
        return self

    def min_should(self, conditions: Iterable[Condition], *, min_count: int) -> Self:
        """Adds conditions of which at least `min_count` must hold. Raises ValueError for a second such clause."""
        if self._min_should is not None:
            raise ValueError("a filter has one min_should clause; nest a filter for another")
        self._min_should = MinShould(tuple(conditions), min_count)
        return self

    def build(self) -> Filter:
        """Returns the filter with all conditions that were added."""
        return Filter(tuple(self._must), tuple(self._should), tuple(self._must_not), self._min_should)


FilterLike = Condition | FilterBuilder | str | Mapping[str, object]
"""The values that `filter=` takes: a condition (a Filter is one, too), a builder, a text such as
`kind == "shoe" and price <= 200`, or a dict with `must`, `should`, `must_not` and `min_should`."""
