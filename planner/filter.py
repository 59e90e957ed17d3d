"""What a filter is: conditions on payload paths, ids and vectors, as frozen data. match.py evaluates it.

Filters are compared and hashed to share work, so conditions on True and on 1 must differ, which are equal in Python:
the conditions that hold scalars also compare by which of them are bools.
"""

from dataclasses import dataclass, field

from storage.schema import PointId

Scalar = str | int | float | bool


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
    """Some number at `path` lies within the bounds that are given. Integers compare exactly."""

    path: str
    gt: int | float | None = None
    gte: int | float | None = None
    lt: int | float | None = None
    lte: int | float | None = None


@dataclass(frozen=True, slots=True)
class IsNull:
    """The value at `path` is present and null, or an array with a null element."""

    path: str


@dataclass(frozen=True, slots=True)
class IsEmpty:
    """The value at `path` is absent, null, [] or ""."""

    path: str


@dataclass(frozen=True, slots=True)
class HasId:
    """The point's id is one of `ids`."""

    ids: tuple[PointId, ...]


@dataclass(frozen=True, slots=True)
class HasVector:
    """The point has a vector in space `using`."""

    using: str


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


Condition = Equal | AnyOf | ExceptOf | Range | IsNull | IsEmpty | HasId | HasVector | Filter
