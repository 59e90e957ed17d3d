"""What a filter is: conditions on payload paths, ids and vectors, as frozen data. filtering/match.py evaluates it.

Filters are compared and hashed to share work, so conditions on True and on 1 must differ, which are equal in Python:
the conditions that hold scalars also compare by which of them are bools.
"""

from dataclasses import dataclass, field
from enum import Enum

from storage.schema import PointId

Scalar = str | int | float | bool
Bound = str | int | float


def _which_are_bools(values: tuple[Scalar, ...]) -> tuple[bool, ...]:
    return tuple(isinstance(value, bool) for value in values)


@dataclass(frozen=True, slots=True)
class Equal:
    """Some value at `path` equals `value`. Integer and float compare as numbers; a bool is not a number."""

    path: str
    value: Scalar
    _bools: tuple[bool, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_bools", _which_are_bools((self.value,)))


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Some value at `path` equals one of `values`."""

    path: str
    values: tuple[Scalar, ...]
    _bools: tuple[bool, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_bools", _which_are_bools(self.values))


@dataclass(frozen=True, slots=True)
class ExceptOf:
    """Some scalar value at `path` is present, not null, and equals none of `values`."""

    path: str
    values: tuple[Scalar, ...]
    _bools: tuple[bool, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_bools", _which_are_bools(self.values))


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Some value at `path` lies within the bounds that are given, which are all numbers or all strings.

    Integers compare exactly, strings by their UTF-8 bytes.
    """

    path: str
    gt: Bound | None = None
    gte: Bound | None = None
    lt: Bound | None = None
    lte: Bound | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DatetimeRange:
    """Some string at `path` is an instant within the bounds that are given, written as predicate/instants.py says."""

    path: str
    gt: str | None = None
    gte: str | None = None
    lt: str | None = None
    lte: str | None = None


class TextOperator(Enum):
    """What a TextTest asks of a string."""

    TEXT = "text"
    PHRASE = "phrase"
    STARTS_WITH = "starts_with"
    CONTAINS = "contains"
    GLOB = "glob"
    IGLOB = "iglob"
    REGEX = "regex"


@dataclass(frozen=True, slots=True)
class TextTest:
    """Some string at `path` passes: has the words or the part, starts with, or is matched by `operand`."""

    path: str
    operator: TextOperator
    operand: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ValuesCount:
    """How many elements the array at `path` has is within the bounds. Other values count as one, null as none."""

    path: str
    gt: int | None = None
    gte: int | None = None
    lt: int | None = None
    lte: int | None = None


@dataclass(frozen=True, slots=True)
class GeoPoint:
    """A place: degrees north (-90 to 90) and east (-180 to 180)."""

    lat: float
    lon: float


@dataclass(frozen=True, slots=True)
class GeoRadius:
    """Some place at `path` is at most `radius` metres from `center`."""

    path: str
    center: GeoPoint
    radius: float


@dataclass(frozen=True, slots=True)
class GeoBox:
    """Some place at `path` is between the corners, edges included; across the antimeridian if left is east of right."""

    path: str
    top_left: GeoPoint
    bottom_right: GeoPoint


@dataclass(frozen=True, slots=True)
class GeoPolygon:
    """Some place at `path` is within `exterior` and within no hole; places on an edge are within."""

    path: str
    exterior: tuple[GeoPoint, ...]
    interiors: tuple[tuple[GeoPoint, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class IsNull:
    """The value at `path` is present and null, or an array with a null element."""

    path: str


@dataclass(frozen=True, slots=True)
class IsEmpty:
    """The value at `path` is absent, null, [] or ""."""

    path: str


@dataclass(frozen=True, slots=True)
class Exists:
    """There is a value at `path`, null included."""

    path: str


@dataclass(frozen=True, slots=True)
class Nested:
    """Some object at `path`, or element of an array there, passes all of `filter`, whose paths start at it."""

    path: str
    filter: "Filter"


@dataclass(frozen=True, slots=True)
class HasId:
    """The point's id is one of `ids`."""

    ids: tuple[PointId, ...]


@dataclass(frozen=True, slots=True)
class HasVector:
    """The point has a vector in space `using`.

    `written`: of a filter as text, its field and the line and column there, which errors name; no part of its meaning.
    """

    using: str
    written: tuple[str, str] | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class MinShould:
    """At least `min_count` of `conditions` hold."""

    conditions: tuple["Condition", ...]
    min_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """All clauses hold. `should` counts only when it is not empty. An empty filter matches every point."""

    must: tuple["Condition", ...] = ()
    should: tuple["Condition", ...] = ()
    must_not: tuple["Condition", ...] = ()
    min_should: MinShould | None = None


GeoCondition = GeoRadius | GeoBox | GeoPolygon
FieldCondition = Equal | AnyOf | ExceptOf | Range | DatetimeRange | TextTest | ValuesCount | GeoCondition
"""Tests of the values at a path."""

PayloadCondition = FieldCondition | IsNull | IsEmpty | Exists | Nested
"""Conditions that need the payload, and nothing but the payload."""

Condition = PayloadCondition | HasId | HasVector | Filter
