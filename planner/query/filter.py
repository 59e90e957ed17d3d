"""What a filter is: conditions on payload paths, ids and vectors, as frozen data. filtering/match.py evaluates it.

Equal filters share work, so filters are compared and hashed. In Python True equals 1, but as conditions they differ.
Therefore conditions that hold scalars also compare which of the scalars are bools.
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
    """Some value at `path` equals `value`. An integer and a float compare as numbers; a bool is not a number."""

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
    """Some scalar at `path` is not null and equals none of `values`."""

    path: str
    values: tuple[Scalar, ...]
    _bools: tuple[bool, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_bools", _which_are_bools(self.values))


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Some value at `path` lies within the given bounds. The bounds are all numbers or all strings.

    Integers compare exactly, strings by their UTF-8 bytes.
    """

    path: str
    gt: Bound | None = None
    gte: Bound | None = None
    lt: Bound | None = None
    lte: Bound | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DatetimeRange:
    """Some string at `path` is an instant within the given bounds. predicate/instants.py says how instants are
    written.
    """

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
    """Some string at `path` passes the test that `operator` and `operand` describe."""

    path: str
    operator: TextOperator
    operand: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ValuesCount:
    """The number of elements of the array at `path` is within the bounds. A null counts as 0, any other value as 1."""

    path: str
    gt: int | None = None
    gte: int | None = None
    lt: int | None = None
    lte: int | None = None


@dataclass(frozen=True, slots=True)
class GeoPoint:
    """A location on Earth: degrees north (-90 to 90) and degrees east (-180 to 180)."""

    lat: float
    lon: float


@dataclass(frozen=True, slots=True)
class GeoRadius:
    """Some location at `path` is at most `radius` metres from `center`."""

    path: str
    center: GeoPoint
    radius: float


@dataclass(frozen=True, slots=True)
class GeoBox:
    """Some location at `path` is in the box, edges included.

    If left is east of right, the box crosses the antimeridian.
    """

    path: str
    top_left: GeoPoint
    bottom_right: GeoPoint


@dataclass(frozen=True, slots=True)
class GeoPolygon:
    """Some location at `path` is inside `exterior` and inside no hole. A location on an edge is inside."""

    path: str
    exterior: tuple[GeoPoint, ...]
    interiors: tuple[tuple[GeoPoint, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class IsNull:
    """The value at `path` is null, or it is an array with a null element."""

    path: str


@dataclass(frozen=True, slots=True)
class IsEmpty:
    """The value at `path` is absent, null, [] or ""."""

    path: str


@dataclass(frozen=True, slots=True)
class Exists:
    """There is a value at `path`. It may be null."""

    path: str


@dataclass(frozen=True, slots=True)
class Nested:
    """Some object at `path`, or some element of an array there, passes all of `filter`.

    Paths of `filter` start at it.
    """

    path: str
    filter: "Filter"


@dataclass(frozen=True, slots=True)
class HasId:
    """The point's id is one of `ids`."""

    ids: tuple[PointId, ...]


@dataclass(frozen=True, slots=True)
class HasVector:
    """The point has a vector in the space `using`.

    `written` is set when the filter was given as text: its field, and the line and column. Errors name it. It does not
    change the meaning, so it takes no part in comparisons.
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
    """All four clauses hold. An empty `should` holds always. An empty filter matches every point."""

    must: tuple["Condition", ...] = ()
    should: tuple["Condition", ...] = ()
    must_not: tuple["Condition", ...] = ()
    min_should: MinShould | None = None


GeoCondition = GeoRadius | GeoBox | GeoPolygon
"""Tests of the locations at a path, or of those among the elements of an array there."""
FieldCondition = Equal | AnyOf | ExceptOf | Range | DatetimeRange | TextTest | ValuesCount | GeoCondition
"""Tests of the values at a path."""

PayloadCondition = FieldCondition | IsNull | IsEmpty | Exists | Nested
"""Conditions that are decided by the payload alone."""

Condition = PayloadCondition | HasId | HasVector | Filter
