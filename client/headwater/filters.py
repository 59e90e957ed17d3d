"""Filters: which points take part. Makes conditions, which combine with `&`, `|` and `~`. Evaluates nothing.

    Field("price").lte(200.0) & ~Field("brand").any_of(["acme", "umbra"])
    FilterBuilder().must(Field("kind").eq("shoe")).should(Field("rating").gte(4), has_id([1, 2])).build()

A field that is missing makes every condition on it false, except `is_empty`; so `~` of a condition is true there.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self, TypeVar
from uuid import UUID

from headwater._comparable import Comparable
from headwater._conditions import (
    AnyOf,
    Bound,
    Condition,
    DatetimeRange,
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
    Range,
    Scalar,
    TextOperator,
    TextTest,
    ValuesCount,
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

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, eq=False)
class Field(Comparable):
    """The values at a payload path: `a`, `a.b`, or `a[].b` for every element of the array `a`.

    On an array a condition holds if it holds for any element. `==`, `!=`, `<`, `<=`, `>` and `>=` make conditions:
    `(Field("price") < 20) & (Field("kind") == "shoe")`.
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
        return AnyOf(self.path, _listed(values))

    def except_of(self, values: Iterable[Scalar]) -> ExceptOf:
        """Present and equal to none of `values`."""
        return ExceptOf(self.path, _listed(values))

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
        """From `low` to `high`, both included unless not `inclusive`."""
        return Range(self.path, gte=low, lte=high) if inclusive else Range(self.path, gt=low, lt=high)

    def range(
        self, *, gt: Bound | None = None, gte: Bound | None = None, lt: Bound | None = None, lte: Bound | None = None
    ) -> Range:
        """Within the bounds that are given: all numbers, or all strings."""
        return Range(self.path, gt=gt, gte=gte, lt=lt, lte=lte)

    def datetime_gt(self, bound: Instant) -> DatetimeRange:
        """After `bound`: a datetime, a date, or a text such as "2026-03-01". Without a time zone it is in UTC."""
        return DatetimeRange(self.path, gt=bound)

    def datetime_gte(self, bound: Instant) -> DatetimeRange:
        """At or after `bound`."""
        return DatetimeRange(self.path, gte=bound)

    def datetime_lt(self, bound: Instant) -> DatetimeRange:
        """Before `bound`."""
        return DatetimeRange(self.path, lt=bound)

    def datetime_lte(self, bound: Instant) -> DatetimeRange:
        """At or before `bound`."""
        return DatetimeRange(self.path, lte=bound)

    def datetime_between(self, lower: Instant, upper: Instant, inclusive: bool = True) -> DatetimeRange:
        """From `lower` to `upper`, both included unless not `inclusive`."""
        if inclusive:
            return DatetimeRange(self.path, gte=lower, lte=upper)
        return DatetimeRange(self.path, gt=lower, lt=upper)

    def text(self, text: str) -> TextTest:
        """A string with every word of `text`, in any order and case."""
        return TextTest(self.path, TextOperator.TEXT, text)

    def phrase(self, text: str) -> TextTest:
        """A string with the words of `text` one after the other, in any case."""
        return TextTest(self.path, TextOperator.PHRASE, text)

    def starts_with(self, prefix: str) -> TextTest:
        """A string that starts with `prefix`."""
        return TextTest(self.path, TextOperator.STARTS_WITH, prefix)

    def contains(self, part: str) -> TextTest:
        """A string that `part` is a part of."""
        return TextTest(self.path, TextOperator.CONTAINS, part)

    def glob(self, pattern: str) -> TextTest:
        """A string that the glob matches as a whole; `*` also matches `/`, `?` one byte."""
        return TextTest(self.path, TextOperator.GLOB, pattern)

    def iglob(self, pattern: str) -> TextTest:
        """The same without regard to the case of ASCII letters."""
        return TextTest(self.path, TextOperator.IGLOB, pattern)

    def not_glob(self, pattern: str) -> Filter:
        """Where `glob` does not hold: also where the field is missing, and false where any element matches."""
        return ~self.glob(pattern)

    def not_iglob(self, pattern: str) -> Filter:
        """Where `iglob` does not hold."""
        return ~self.iglob(pattern)

    def regex(self, pattern: str) -> TextTest:
        """A string in which the regular expression (RE2) matches somewhere."""
        return TextTest(self.path, TextOperator.REGEX, pattern)

    def values_count(
        self, *, gt: int | None = None, gte: int | None = None, lt: int | None = None, lte: int | None = None
    ) -> ValuesCount:
        """An array with so many elements. Any other value counts as one, None as none."""
        return ValuesCount(self.path, gt=gt, gte=gte, lt=lt, lte=lte)

    def geo_radius(self, *, lat: float, lon: float, radius: float) -> GeoRadius:
        """A place, `{"lat": ..., "lon": ...}`, at most `radius` metres away."""
        return GeoRadius(self.path, (lat, lon), radius)

    def geo_bounding_box(self, *, top_left: Place, bottom_right: Place) -> GeoBoundingBox:
        """A place between two (lat, lon) corners, edges included."""
        return GeoBoundingBox(self.path, top_left, bottom_right)

    def geo_polygon(self, *, exterior: Iterable[Place], interiors: Iterable[Iterable[Place]] = ()) -> GeoPolygon:
        """A place within the ring of (lat, lon) corners and in none of the holes."""
        return GeoPolygon(self.path, tuple(exterior), tuple(tuple(ring) for ring in interiors))

    def exists(self) -> Exists:
        """There is a value, None included."""
        return Exists(self.path)

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


def exists(path: str) -> Exists:
    """There is a value at `path`, None included."""
    return Exists(path)


def nested(path: str, filter: "Condition | FilterBuilder") -> Nested:
    """Some element of the array at `path` passes the whole filter, whose paths start at the element."""
    given = filter.build() if isinstance(filter, FilterBuilder) else filter
    return Nested(path, given if isinstance(given, Filter) else Filter(must=(given,)))


def has_id(ids: Iterable[int | str | UUID]) -> HasId:
    """The id is one of `ids`."""
    return HasId(_listed(ids))


def has_vector(using: str = "") -> HasVector:
    """The point has a vector in the space `using`."""
    return HasVector(using)


def _listed(values: Iterable[_T]) -> tuple[_T, ...]:
    """Raises TypeError for a string, whose characters are hardly meant."""
    if isinstance(values, str):
        raise TypeError(f"a list is expected, not the string {values!r}")
    try:
        return tuple(values)
    except TypeError:
        raise TypeError(f"a list of values is expected, not {type(values).__name__}") from None


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


FilterLike = Condition | FilterBuilder | str | Mapping[str, object]
"""What `filter=` takes: a condition, of which Filter is one, a builder, text such as `kind == "shoe" and price <= 200`,
or a dict with `must`, `should`, `must_not` and `min_should`, as other clients have it."""
