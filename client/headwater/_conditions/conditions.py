"""The conditions that filters are made of, as values that combine with `&`, `|` and `~`. filters.py makes them."""

from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from enum import Enum
from typing import Literal
from uuid import UUID

import numpy as np

Scalar = str | int | float | bool | date | time | UUID | Decimal | Enum | np.generic
"""A value to compare payload values with. Dates, UUIDs and the like become the strings that payloads hold."""
Number = int | float
Bound = str | int | float | date | time | UUID | Decimal | np.generic
Instant = str | date | np.datetime64
"""A text such as "2026-03-01T12:00", a datetime or a date. Without a time zone it is in UTC."""
Place = tuple[float, float]
"""Degrees north and degrees east."""


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
    """Some number or string at `path` lies within the bounds that are given, all numbers or all strings."""

    path: str
    gt: Bound | None = None
    gte: Bound | None = None
    lt: Bound | None = None
    lte: Bound | None = None


@dataclass(frozen=True)
class DatetimeRange(Condition):
    """Some instant at `path` lies within the bounds that are given: datetimes, dates, or texts such as "2026-03-01".

    A bound without a time zone is in UTC.
    """

    path: str
    gt: Instant | None = None
    gte: Instant | None = None
    lt: Instant | None = None
    lte: Instant | None = None


class TextOperator(Enum):
    """What a TextTest tests on a string."""

    TEXT = "text"
    PHRASE = "phrase"
    STARTS_WITH = "starts_with"
    CONTAINS = "contains"
    GLOB = "glob"
    IGLOB = "iglob"
    REGEX = "regex"
    # The earlier names of the members.
    Text = TEXT
    Phrase = PHRASE
    StartsWith = STARTS_WITH
    Contains = CONTAINS
    Glob = GLOB
    IGlob = IGLOB
    Regex = REGEX


@dataclass(frozen=True)
class TextTest(Condition):
    """Some string at `path` passes the test of `operator` with this operand."""

    path: str
    operator: TextOperator
    operand: str


@dataclass(frozen=True)
class ValuesCount(Condition):
    """The number of values at `path` lies within the bounds that are given."""

    path: str
    gt: int | None = None
    gte: int | None = None
    lt: int | None = None
    lte: int | None = None


@dataclass(frozen=True)
class GeoRadius(Condition):
    """Some place at `path` is at most `radius` metres from `center`, a latitude and a longitude."""

    path: str
    center: Place
    radius: float


@dataclass(frozen=True)
class GeoBoundingBox(Condition):
    """Some place at `path` is between two corners, edges included."""

    path: str
    top_left: Place
    bottom_right: Place


@dataclass(frozen=True)
class GeoPolygon(Condition):
    """Some place at `path` is within `exterior` and within none of the holes `interiors`."""

    path: str
    exterior: tuple[Place, ...]
    interiors: tuple[tuple[Place, ...], ...] = ()


@dataclass(frozen=True)
class IsNull(Condition):
    """The value at `path` is present and null."""

    path: str


@dataclass(frozen=True)
class IsEmpty(Condition):
    """The value at `path` is absent, null, [] or ""."""

    path: str


@dataclass(frozen=True)
class Exists(Condition):
    """There is a value at `path`, None included."""

    path: str


@dataclass(frozen=True)
class Nested(Condition):
    """Some element of the array at `path` passes the whole `filter`, whose paths start at the element."""

    path: str
    filter: "Filter"


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

    An empty filter matches every point. A filter is a condition too, so filters nest. `expression` is a clause as text,
    such as `category == "apparel" and price <= 200`.
    """

    must: tuple[Condition, ...] = ()
    should: tuple[Condition, ...] = ()
    must_not: tuple[Condition, ...] = ()
    min_should: MinShould | None = None
    expression: str = ""


def _operands(condition: Condition, clause: Literal["must", "should"]) -> tuple[Condition, ...]:
    """The conditions of a filter that has only this clause, so that chains stay flat; else the condition itself."""
    if isinstance(condition, Filter):
        alone = Filter(must=condition.must) if clause == "must" else Filter(should=condition.should)
        if condition == alone != Filter():
            return condition.must or condition.should
    return (condition,)
