"""Formulas: messages -> planner.query. It finds missing parts; the planner checks paths, numbers and depth."""

from collections.abc import Mapping

from headwater.v1 import formula_pb2 as wire
from headwater.v1.payload_pb2 import Value
from planner.errors import InvalidQuery
from planner.limits import MAX_FORMULA_PARTS
from planner.parse import parse_formula
from planner.query import (
    Constant,
    Datetime,
    DatetimeKey,
    Decay,
    DecayShape,
    Default,
    Div,
    Expression,
    FieldValue,
    Formula,
    Function,
    GeoDistance,
    GeoPoint,
    Holds,
    ListFunction,
    OfList,
    OfOne,
    Pow,
    PrefetchScore,
)
from server.convert.field_paths import enum_value, join, kind_of
from server.convert.filters import filter_of
from storage.errors import LimitExceeded

DROPS: Mapping[int, bool] = {
    wire.UNDEFINED_SCORE_UNSPECIFIED: False,
    wire.UNDEFINED_SCORE_REFUSE: False,
    wire.UNDEFINED_SCORE_DROP: True,
}
_LISTS = {function.value: function for function in ListFunction}
_FUNCTIONS = {function.value: function for function in Function}
_SHAPES = {shape.value: shape for shape in DecayShape}
_DECAY = Decay(DecayShape.EXP, Constant(0.0))
"""A decay with default values, which are read from it."""


def formula_of(message: wire.Formula, path: str) -> Formula:
    """The formula at `path`. Raises InvalidQuery, LimitExceeded, and what the filters of conditions may raise."""
    expression = _Parts(join(path, "expression")).expression(message.expression, join(path, "expression"))
    defaults = sorted(message.defaults.items())
    return Formula(
        expression,
        tuple((name, _default_of(value, f'{path}.defaults["{name}"]')) for name, value in defaults),
        enum_value(DROPS, message.undefined, join(path, "undefined")),
    )


class _Parts:
    """Reads and counts the parts of the expression at `root`. Stops if there are far too many."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._count = 0

    def expression(self, message: wire.Expression, path: str) -> Expression:
        self._count += 1
        if self._count > MAX_FORMULA_PARTS:
            maximum = MAX_FORMULA_PARTS
            raise LimitExceeded(self._root, limit="MAX_FORMULA_PARTS", maximum=maximum, actual=self._count)
        kind = kind_of(message, path, InvalidQuery)
        where = join(path, kind)
        if kind in _LISTS:
            parts = enumerate(getattr(message, kind).parts)
            return OfList(
                _LISTS[kind], tuple(self.expression(part, f"{where}.parts[{index}]") for index, part in parts)
            )
        if kind in _FUNCTIONS:
            return OfOne(_FUNCTIONS[kind], self.expression(getattr(message, kind), where))
        if kind in _SHAPES:
            return self._decay(_SHAPES[kind], getattr(message, kind), where)
        match kind:
            case "pow":
                base = self.expression(message.pow.base, join(where, "base"))
                return Pow(base, self.expression(message.pow.exponent, join(where, "exponent")))
            case "div":
                return self._quotient(message.div, where)
            case "text":
                return parse_formula(message.text, where)
            case _:
                return _single_of(message, kind, where)

    def _quotient(self, message: wire.DivExpression, path: str) -> Div:
        left = self.expression(message.left, join(path, "left"))
        right = self.expression(message.right, join(path, "right"))
        return Div(left, right, message.by_zero_default if message.HasField("by_zero_default") else None)

    def _decay(self, shape: DecayShape, message: wire.DecayExpression, path: str) -> Decay:
        return Decay(
            shape,
            self.expression(message.x, join(path, "x")),
            self.expression(message.target, join(path, "target")) if message.HasField("target") else None,
            message.scale if message.HasField("scale") else _DECAY.scale,
            message.midpoint if message.HasField("midpoint") else _DECAY.midpoint,
        )


def _single_of(message: wire.Expression, kind: str, path: str) -> Expression:
    """An expression without parts."""
    match kind:
        case "constant":
            return Constant(message.constant)
        case "score":
            return PrefetchScore(message.score)
        case "field":
            return FieldValue(message.field)
        case "condition":
            return Holds(filter_of(message.condition, path))
        case "geo_distance":
            if not message.geo_distance.HasField("origin"):
                raise InvalidQuery(join(path, "origin"), "it is missing")
            origin = message.geo_distance.origin
            return GeoDistance(GeoPoint(origin.lat, origin.lon), message.geo_distance.path)
        case "datetime":
            return Datetime(message.datetime)
        case _:
            return DatetimeKey(message.datetime_key)


def _default_of(value: Value, path: str) -> Default:
    match kind_of(value, path, InvalidQuery):
        case "integer_value":
            return float(value.integer_value)
        case "double_value":
            return value.double_value
        case "string_value":
            return value.string_value
        case "struct_value":
            return _location_of(value.struct_value.fields, path)
    raise InvalidQuery(path, "a default must be a number, a string (an instant) or an object with lat and lon")


def _location_of(fields: Mapping[str, Value], path: str) -> GeoPoint:
    degrees = {name: _default_of(value, join(path, name)) for name, value in sorted(fields.items())}
    lat, lon = degrees.get("lat"), degrees.get("lon")
    if set(degrees) != {"lat", "lon"} or not isinstance(lat, float) or not isinstance(lon, float):
        raise InvalidQuery(path, "a location must be an object with the numbers lat and lon")
    return GeoPoint(lat, lon)
