"""What a formula is: an expression that makes a score of other scores and of payload values, as frozen data.

How it is computed is in rank/by_formula.py. docs/queries.md says what each part means.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import assert_never

from planner.query.filter import Filter, GeoPoint

Default = float | str | GeoPoint
"""A number, an instant (a text) or a place."""

SCORE = "$score"


def score_key(index: int) -> str:
    """What defaults call the score in a prefetch."""
    return f"{SCORE}[{index}]"


@dataclass(frozen=True, slots=True)
class Constant:
    value: float


@dataclass(frozen=True, slots=True)
class PrefetchScore:
    """The point's score in the list of a prefetch, 0 unless a default says otherwise where the list lacks it."""

    index: int = 0


@dataclass(frozen=True, slots=True)
class FieldValue:
    """The first number at a payload path, arrays opened once. A bool is not a number."""

    path: str


@dataclass(frozen=True, slots=True)
class Holds:
    """1 for points that match the filter, else 0."""

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
    """`by_zero_default` is the value where `right` is 0; None: there is none."""

    left: "Expression"
    right: "Expression"
    by_zero_default: float | None = None


@dataclass(frozen=True, slots=True)
class GeoDistance:
    """Metres from `origin` to the first place at `path`, as geo_radius measures them."""

    origin: GeoPoint
    path: str


@dataclass(frozen=True, slots=True)
class Datetime:
    """Seconds from 1970 in UTC to an instant, a text of a date or a date and time."""

    text: str


@dataclass(frozen=True, slots=True)
class DatetimeKey:
    """Seconds from 1970 in UTC to the first instant at `path`."""

    path: str


class DecayShape(Enum):
    """How a decay falls with d = |x - target| / scale, where m is the midpoint.

    EXP: m^d. GAUSS: m^(d^2). LIN: max(0, 1 - (1 - m) d).
    """

    EXP = "exp_decay"
    GAUSS = "gauss_decay"
    LIN = "lin_decay"


@dataclass(frozen=True, slots=True)
class Decay:
    """From 1 at the target to `midpoint` at a distance of `scale`, and on towards 0."""

    shape: DecayShape
    x: "Expression"
    target: "Expression | None" = None
    scale: float = 1.0
    midpoint: float = 0.5


@dataclass(frozen=True, slots=True)
class Written:
    """What a text says. Errors name the text, not the parts that were made of it."""

    expression: "Expression"


PayloadVariable = FieldValue | GeoDistance | DatetimeKey
"""What is read of a point's payload."""

Variable = PrefetchScore | PayloadVariable
"""What differs from point to point, and may be missing."""

Expression = Constant | Holds | Datetime | Variable | OfList | OfOne | Pow | Div | Decay | Written


@dataclass(frozen=True, slots=True)
class Formula:
    """Ranks by the value of `expression`, higher first.

    `defaults` stand for what a point lacks, by payload path or `$score[i]` (`$score` is `$score[0]`). A point without
    a score, since a value is missing or the arithmetic has no result, is refused; or it drops out if
    `drop_undefined`.
    """

    expression: Expression
    defaults: tuple[tuple[str, Default], ...] = ()
    drop_undefined: bool = False


def kind_of(expression: Expression) -> str:
    """What the contract calls this kind of expression."""
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
    """The parts an expression is made of, each with its path from the expression: `sum.parts[0]`, `div.left`."""
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
    """The path of a part. Within a text there is none but the text's own."""
    return path if path.endswith(".text") else f"{path}.{name}"


def walk(expression: Expression, path: str) -> Iterator[tuple[str, Expression]]:
    """The expression, which is at `path` of a request, and all it is made of, each with its own path."""
    yield path, expression
    for name, part in parts_of(expression):
        yield from walk(part, below(path, name))
