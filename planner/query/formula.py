"""What a formula is: an expression that computes a score from other scores and payload values, as frozen data.

rank/by_formula.py computes it. docs/queries.md says what each part means.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import assert_never

from planner.query.filter import Filter, GeoPoint

Default = float | str | GeoPoint
"""A number, an instant as text, or a location."""

SCORE = "$score"


def score_key(index: int) -> str:
    """How `defaults` name the score in prefetch number `index`."""
    return f"{SCORE}[{index}]"


@dataclass(frozen=True, slots=True)
class Constant:
    value: float


@dataclass(frozen=True, slots=True)
class PrefetchScore:
    """The point's score in the list of prefetch number `index`.

    Without a default, it is 0 where the list lacks the point.
    """

    index: int = 0


@dataclass(frozen=True, slots=True)
class FieldValue:
    """The first number at a payload path. An array there is opened, but not arrays inside it.

    A bool is not a number.
    """

    path: str


@dataclass(frozen=True, slots=True)
class Holds:
    """1 for points that match the filter, 0 for the others."""

    filter: Filter


class ListFunction(Enum):
    """Functions of one or more parts. `mult` is 0 where a part is 0, even if another part has no value."""

    SUM = "sum"
    MULT = "mult"
    MIN = "min"
    MAX = "max"


@dataclass(frozen=True, slots=True)
class OfList:
    function: ListFunction
    parts: tuple["Expression", ...]


class Function(Enum):
    """Functions of one part."""

    NEG = "neg"
    ABS = "abs"
    SQRT = "sqrt"
    EXP = "exp"
    LN = "ln"
    LOG10 = "log10"


@dataclass(frozen=True, slots=True)
class OfOne:
    function: Function
    part: "Expression"


@dataclass(frozen=True, slots=True)
class Pow:
    base: "Expression"
    exponent: "Expression"


@dataclass(frozen=True, slots=True)
class Div:
    """`by_zero_default` is the value where `right` is 0. None: the quotient then has no value."""

    left: "Expression"
    right: "Expression"
    by_zero_default: float | None = None


@dataclass(frozen=True, slots=True)
class GeoDistance:
    """Metres from `origin` to the first location at `path`, measured as GeoRadius does."""

    origin: GeoPoint
    path: str


@dataclass(frozen=True, slots=True)
class Datetime:
    """Seconds from 1970 in UTC to the instant that `text` says: a date, or a date and time."""

    text: str


@dataclass(frozen=True, slots=True)
class DatetimeKey:
    """Seconds from 1970 in UTC to the first instant at `path`."""

    path: str


class DecayShape(Enum):
    """How a decay falls. d = |x - target| / scale, and m is the midpoint.

    EXP: m^d. GAUSS: m^(d^2). LIN: max(0, 1 - (1 - m) d).
    """

    EXP = "exp_decay"
    GAUSS = "gauss_decay"
    LIN = "lin_decay"


@dataclass(frozen=True, slots=True)
class Decay:
    """1 at the target, `midpoint` at the distance `scale` from it, and nearer to 0 further away."""

    shape: DecayShape
    x: "Expression"
    target: "Expression | None" = None
    scale: float = 1.0
    midpoint: float = 0.5


@dataclass(frozen=True, slots=True)
class Written:
    """An expression that was written as text. Errors name the text, since the caller wrote none of the parts."""

    expression: "Expression"


PayloadVariable = FieldValue | GeoDistance | DatetimeKey
"""What is read from a point's payload."""

Variable = PrefetchScore | PayloadVariable
"""What differs from point to point, and may be missing."""

Expression = Constant | Holds | Datetime | Variable | OfList | OfOne | Pow | Div | Decay | Written


@dataclass(frozen=True, slots=True)
class Formula:
    """Ranks by the value of `expression`, higher first.

    `defaults` are used where a point lacks a value. Their keys are payload paths or `$score[i]`; `$score` means
    `$score[0]`. A point has no score if a value is missing or the arithmetic has no result. Such a point is an error,
    or it drops out if `drop_undefined`.
    """

    expression: Expression
    defaults: tuple[tuple[str, Default], ...] = ()
    drop_undefined: bool = False


def kind_of(expression: Expression) -> str:
    """The name of this kind of expression in the contract."""
    match expression:
        case OfList(function=function):
            return function.value
        case OfOne(function=single):
            return single.value
        case Decay(shape=shape):
            return shape.value
        case _:
            return _KINDS[type(expression)]


_KINDS: Mapping[type, str] = {
    Constant: "constant",
    PrefetchScore: "score",
    FieldValue: "field",
    Holds: "condition",
    Pow: "pow",
    Div: "div",
    GeoDistance: "geo_distance",
    Datetime: "datetime",
    DatetimeKey: "datetime_key",
    Written: "text",
}


def parts_of(expression: Expression) -> Iterator[tuple[str, "Expression"]]:
    """The parts of an expression, each with its path inside the expression, such as `sum.parts[0]` or `div.left`."""
    match expression:
        case Constant() | PrefetchScore() | FieldValue() | Holds() | GeoDistance() | Datetime() | DatetimeKey():
            return
        case OfList(function=function, parts=parts):
            yield from ((f"{function.value}.parts[{index}]", part) for index, part in enumerate(parts))
        case OfOne(function=single, part=part):
            yield single.value, part
        case Pow(base=base, exponent=exponent):
            yield "pow.base", base
            yield "pow.exponent", exponent
        case Div(left=left, right=right):
            yield "div.left", left
            yield "div.right", right
        case Decay(shape=shape, x=x, target=target):
            yield f"{shape.value}.x", x
            if target is not None:
                yield f"{shape.value}.target", target
        case Written(expression=inner):
            yield "text", inner
        case _:
            assert_never(expression)


def below(path: str, name: str) -> str:
    """The path of a part. Parts of a text have the path of the text."""
    return path if path.endswith(".text") else f"{path}.{name}"


def walk(expression: Expression, path: str) -> Iterator[tuple[str, Expression]]:
    """The expression and all parts below it, each with its path.

    `path` is the path of the expression in the request.
    """
    yield path, expression
    for name, part in parts_of(expression):
        yield from walk(part, below(path, name))
