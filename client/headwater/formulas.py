"""Formulas are expressions that compute a score from other scores and from payload values. Evaluates nothing.

    Score() * 2 + FieldValue("popularity")
    Score() * decay_exp(GeoDistance((52.5, 13.4), "place"), scale=5_000) + Matches(Field("stock").gt(0))

Expressions combine with `+`, `-`, `*`, `/`, `**`, `abs()` and numbers. An expression may also be given as a number, as
text (`"$score * 2 + popularity"`), or as a condition, which is 1 where it holds and 0 elsewhere.
"""

from dataclasses import dataclass
from typing import Literal

from headwater._conditions import Condition, Instant, Place
from headwater.filters import FilterBuilder, FilterLike

__all__ = [
    "Abs",
    "Datetime",
    "DatetimeKey",
    "Decay",
    "Div",
    "Exp",
    "Expression",
    "ExpressionLike",
    "FieldValue",
    "GeoDistance",
    "Ln",
    "Log10",
    "Matches",
    "Max",
    "Min",
    "Mult",
    "Neg",
    "Pow",
    "Score",
    "Sqrt",
    "Sum",
    "decay_exp",
    "decay_gauss",
    "decay_lin",
]


@dataclass(frozen=True)
class Expression:
    """Gives a number for each point. Expressions combine with `+`, `-`, `*`, `/`, `**` and `abs()`."""

    # Without this, numpy would answer `numpy number * expression` with an array of objects.
    __array_ufunc__ = None

    def __add__(self, other: "ExpressionLike") -> "Sum":
        return Sum(*(self.parts if isinstance(self, Sum) else (self,)), other)

    def __radd__(self, other: "ExpressionLike") -> "Sum":
        return Sum(other, self)

    def __sub__(self, other: "ExpressionLike") -> "Sum":
        return self + Neg(other)

    def __rsub__(self, other: "ExpressionLike") -> "Sum":
        return Sum(other, Neg(self))

    def __mul__(self, other: "ExpressionLike") -> "Mult":
        return Mult(*(self.parts if isinstance(self, Mult) else (self,)), other)

    def __rmul__(self, other: "ExpressionLike") -> "Mult":
        return Mult(other, self)

    def __truediv__(self, other: "ExpressionLike") -> "Div":
        return Div(self, other)

    def __rtruediv__(self, other: "ExpressionLike") -> "Div":
        return Div(other, self)

    def __pow__(self, other: "ExpressionLike") -> "Pow":
        return Pow(self, other)

    def __rpow__(self, other: "ExpressionLike") -> "Pow":
        return Pow(other, self)

    def __neg__(self) -> "Neg":
        return Neg(self)

    def __abs__(self) -> "Abs":
        return Abs(self)

    def __bool__(self) -> bool:
        raise TypeError("an expression has no truth value before the server has computed it")


ExpressionLike = Expression | Condition | FilterBuilder | int | float | str
"""An expression, a number, a condition (1 or 0), or an expression as text: `$score * 2 + popularity`."""


@dataclass(frozen=True)
class Score(Expression):
    """The score of the point in the list of prefetch number `index`, counted from 0.

    For a point that the list lacks, it is the default of `$score[i]`, or 0 without one.
    """

    index: int = 0


@dataclass(frozen=True)
class FieldValue(Expression):
    """The first number at a payload path. If an array is there, it is the first number in the array."""

    path: str


@dataclass(frozen=True)
class Matches(Expression):
    """1 for points that match the filter, else 0."""

    filter: FilterLike


@dataclass(frozen=True, init=False)
class _OfList(Expression):
    parts: tuple[ExpressionLike, ...]

    def __init__(self, *parts: ExpressionLike) -> None:
        object.__setattr__(self, "parts", parts)


@dataclass(frozen=True, init=False)
class Sum(_OfList):
    """The sum of all parts."""


@dataclass(frozen=True, init=False)
class Mult(_OfList):
    """The product of all parts. It is 0 when a part is 0, even if another part has no value."""


@dataclass(frozen=True, init=False)
class Min(_OfList):
    """The least of all parts."""


@dataclass(frozen=True, init=False)
class Max(_OfList):
    """The greatest of all parts."""


@dataclass(frozen=True)
class _OfOne(Expression):
    part: ExpressionLike


@dataclass(frozen=True)
class Neg(_OfOne):
    """The part with the opposite sign."""


@dataclass(frozen=True)
class Abs(_OfOne):
    """The absolute value of the part."""


@dataclass(frozen=True)
class Sqrt(_OfOne):
    """The square root of the part. A negative number has none, and then there is no value."""


@dataclass(frozen=True)
class Exp(_OfOne):
    """e to the power of the part."""


@dataclass(frozen=True)
class Ln(_OfOne):
    """The natural logarithm of the part. There is no value when the part is 0 or negative."""


@dataclass(frozen=True)
class Log10(_OfOne):
    """The logarithm of the part to base 10. There is no value when the part is 0 or negative."""


@dataclass(frozen=True)
class Pow(Expression):
    """`base` to the power of `exponent`."""

    base: ExpressionLike
    exponent: ExpressionLike


@dataclass(frozen=True)
class Div(Expression):
    """`left` / `right`. Where `right` is 0, the value is `by_zero_default`; None: there is no value."""

    left: ExpressionLike
    right: ExpressionLike
    by_zero_default: float | None = None


@dataclass(frozen=True)
class GeoDistance(Expression):
    """The distance in metres from `origin`, (lat, lon), to the first place at a payload path.

    A place in a payload is an object `{"lat": ..., "lon": ...}`.
    """

    origin: Place
    path: str


@dataclass(frozen=True)
class Datetime(Expression):
    """Seconds from the start of 1970 (UTC) to an instant: a datetime, a date, or a text such as "2026-03-01".

    An instant without a time zone is in UTC.
    """

    instant: Instant


@dataclass(frozen=True)
class DatetimeKey(Expression):
    """Seconds from the start of 1970 (UTC) to the first instant at a payload path.

    An instant in a payload is a string such as "2026-03-01T12:00:00Z".
    """

    path: str


@dataclass(frozen=True)
class Decay(Expression):
    """A value that decreases with the distance of `x` from `target`. decay_exp, decay_gauss and decay_lin make it.

    A field that is None has the server's default: `target` 0, `scale` 1, `midpoint` 0.5.
    """

    shape: Literal["exp_decay", "gauss_decay", "lin_decay"]
    x: ExpressionLike
    target: ExpressionLike | None = None
    scale: float | None = None
    midpoint: float | None = None


def decay_exp(
    x: ExpressionLike,
    target: ExpressionLike | None = None,
    *,
    scale: float | None = None,
    midpoint: float | None = None,
) -> Decay:
    """Exponential decay: midpoint^d, where d = |x - target| / scale.

    It is 1 at `target` (default 0), and `midpoint` (default 0.5) at a distance of `scale` (default 1).
    """
    return Decay("exp_decay", x, target, scale, midpoint)


def decay_gauss(
    x: ExpressionLike,
    target: ExpressionLike | None = None,
    *,
    scale: float | None = None,
    midpoint: float | None = None,
) -> Decay:
    """Gaussian decay: midpoint^(d^2), with the d and the defaults of decay_exp."""
    return Decay("gauss_decay", x, target, scale, midpoint)


def decay_lin(
    x: ExpressionLike,
    target: ExpressionLike | None = None,
    *,
    scale: float | None = None,
    midpoint: float | None = None,
) -> Decay:
    """Linear decay: max(0, 1 - (1 - midpoint) d), with the d and the defaults of decay_exp."""
    return Decay("lin_decay", x, target, scale, midpoint)
