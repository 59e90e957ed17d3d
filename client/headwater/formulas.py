"""Formulas: expressions that make a score of other scores and of payload values. Evaluates nothing.

    Score() * 2 + FieldValue("popularity")
    Score() * decay_exp(GeoDistance((52.5, 13.4), "place"), scale=5_000) + Matches(Field("stock").gt(0))

Expressions combine with `+`, `-`, `*`, `/`, `**`, `abs()` and numbers. Where an expression is taken, so are a number, a
condition, which is 1 where it holds and 0 elsewhere, and an expression as text: `"$score * 2 + popularity"`.
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
    """A number for each point. Combine expressions with `+`, `-`, `*`, `/`, `**` and `abs()`."""

    # Without this an operator of numpy numbers would make an array of objects.
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
    """The point's score in the list of a prefetch, from 0; where the list lacks it, the default `$score[i]`, else 0."""

    index: int = 0


@dataclass(frozen=True)
class FieldValue(Expression):
    """The first number at a payload path, also within an array there."""

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
    """The sum of all."""


@dataclass(frozen=True, init=False)
class Mult(_OfList):
    """The product of all. It is 0 where one of them is, even if another has no value."""


@dataclass(frozen=True, init=False)
class Min(_OfList):
    """The least of all."""


@dataclass(frozen=True, init=False)
class Max(_OfList):
    """The greatest of all."""


@dataclass(frozen=True)
class _OfOne(Expression):
    part: ExpressionLike


@dataclass(frozen=True)
class Neg(_OfOne):
    """The negative."""


@dataclass(frozen=True)
class Abs(_OfOne):
    """The magnitude."""


@dataclass(frozen=True)
class Sqrt(_OfOne):
    """The square root; no value for a negative number."""


@dataclass(frozen=True)
class Exp(_OfOne):
    """e to this power."""


@dataclass(frozen=True)
class Ln(_OfOne):
    """The natural logarithm; no value for a number that is not positive."""


@dataclass(frozen=True)
class Log10(_OfOne):
    """The logarithm to base 10; no value for a number that is not positive."""


@dataclass(frozen=True)
class Pow(Expression):
    """`base` to the power of `exponent`."""

    base: ExpressionLike
    exponent: ExpressionLike


@dataclass(frozen=True)
class Div(Expression):
    """`left` / `right`. `by_zero_default` is the value where `right` is 0; None: there is none."""

    left: ExpressionLike
    right: ExpressionLike
    by_zero_default: float | None = None


@dataclass(frozen=True)
class GeoDistance(Expression):
    """Metres from a place, (lat, lon), to the first place, `{"lat": ..., "lon": ...}`, at a payload path."""

    origin: Place
    path: str


@dataclass(frozen=True)
class Datetime(Expression):
    """Seconds from 1970 in UTC to an instant: a datetime, a date, or a text such as "2026-03-01", else in UTC."""

    instant: Instant


@dataclass(frozen=True)
class DatetimeKey(Expression):
    """Seconds from 1970 in UTC to the first instant, a string such as "2026-03-01T12:00:00Z", at a payload path."""

    path: str


@dataclass(frozen=True)
class Decay(Expression):
    """What decay_exp, decay_gauss and decay_lin make. None: the server's default."""

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
    """midpoint^d, d = |x - target| / scale: 1 at the target (0), `midpoint` (0.5) at a distance of `scale` (1)."""
    return Decay("exp_decay", x, target, scale, midpoint)


def decay_gauss(
    x: ExpressionLike,
    target: ExpressionLike | None = None,
    *,
    scale: float | None = None,
    midpoint: float | None = None,
) -> Decay:
    """The same as a bell: midpoint^(d^2)."""
    return Decay("gauss_decay", x, target, scale, midpoint)


def decay_lin(
    x: ExpressionLike,
    target: ExpressionLike | None = None,
    *,
    scale: float | None = None,
    midpoint: float | None = None,
) -> Decay:
    """The same in a straight line: max(0, 1 - (1 - midpoint) d)."""
    return Decay("lin_decay", x, target, scale, midpoint)
