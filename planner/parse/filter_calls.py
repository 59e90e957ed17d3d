"""The functions of filters as text, such as `glob(path, "*.py")`: a name and arguments become a condition."""

from collections.abc import Callable, Mapping, Sequence

from planner.parse.values import (
    Misread,
    Node,
    count_bounds,
    elements_of,
    id_scalar_of,
    number_of,
    path_of,
    scalars_of,
    string_of,
)
from planner.query import (
    Condition,
    ExceptOf,
    Exists,
    Filter,
    GeoBox,
    GeoPoint,
    GeoPolygon,
    GeoRadius,
    HasId,
    HasVector,
    IsEmpty,
    IsNull,
    MinShould,
    Nested,
    TextOperator,
    TextTest,
    ValuesCount,
)
from storage.schema import PointId

Arguments = Sequence[Node]
_OfCondition = Callable[[Node], Condition]


def call_of(name: Node, arguments: Arguments, condition_of: _OfCondition) -> Condition:
    """The condition of a call. `condition_of` reads arguments that are conditions. Raises Misread."""
    function = str(name)
    if function == "at_least":
        return _at_least(name, arguments, condition_of)
    if function == "nested":
        _check_count(name, arguments, 2, 2)
        inner = condition_of(arguments[1])
        return Nested(path_of(arguments[0]), inner if isinstance(inner, Filter) else Filter(must=(inner,)))
    if function not in _FUNCTIONS:
        known = ", ".join(sorted([*_FUNCTIONS, "at_least", "nested", "values_count"]))
        raise Misread(name, f"there is no function {function}; there are: {known}")
    fewest, most, make = _FUNCTIONS[function]
    _check_count(name, arguments, fewest, most)
    return make(arguments)


def count_of(name: Node, arguments: Arguments, sign: Node, operand: Node) -> Condition:
    """`values_count(path) >= 2`."""
    if str(name) != "values_count":
        raise Misread(name, "only values_count(...) can be compared with a number")
    _check_count(name, arguments, 1, 1)
    return ValuesCount(path=path_of(arguments[0]), **count_bounds(sign, operand))


def _check_count(name: Node, arguments: Arguments, fewest: int, most: int) -> None:
    if not fewest <= len(arguments) <= most:
        wanted = f"{fewest}" if fewest == most else f"{fewest} to {most}"
        raise Misread(name, f"{name} takes {wanted} arguments, not {len(arguments)}")


def _at_least(name: Node, arguments: Arguments, condition_of: _OfCondition) -> Filter:
    if len(arguments) < 2:
        raise Misread(name, "at_least takes a number and then conditions")
    count, conditions = number_of(arguments[0]), arguments[1:]
    if not isinstance(count, int) or not 1 <= count <= len(conditions):
        raise Misread(arguments[0], f"a number from 1 to {len(conditions)}, the number of conditions, is expected here")
    return Filter(min_should=MinShould(tuple(condition_of(node) for node in conditions), count))


def _text(operator: TextOperator) -> Callable[[Arguments], Condition]:
    return lambda arguments: TextTest(path_of(arguments[0]), operator, string_of(arguments[1]))


def _not_text(operator: TextOperator) -> Callable[[Arguments], Condition]:
    make = _text(operator)
    return lambda arguments: Filter(must_not=(make(arguments),))


def _radius(arguments: Arguments) -> Condition:
    lat, lon, radius = (number_of(argument) for argument in arguments[1:])
    return GeoRadius(path_of(arguments[0]), GeoPoint(lat, lon), radius)


def _box(arguments: Arguments) -> Condition:
    return GeoBox(path_of(arguments[0]), _location(arguments[1]), _location(arguments[2]))


def _polygon(arguments: Arguments) -> Condition:
    exterior, *interiors = (tuple(_location(location) for location in elements_of(ring)) for ring in arguments[1:])
    return GeoPolygon(path_of(arguments[0]), exterior, tuple(interiors))


def _location(node: Node) -> GeoPoint:
    numbers = [number_of(element) for element in elements_of(node)]
    if len(numbers) != 2:
        raise Misread(node, "a location is [lat, lon]")
    return GeoPoint(*numbers)


def _ids(arguments: Arguments) -> Condition:
    return HasId(tuple(_id(node) for node in elements_of(arguments[0])))


def _id(node: Node) -> PointId:
    value = id_scalar_of(node)
    if isinstance(value, bool | float):
        raise Misread(node, "an id is an integer or a string")
    return value


_UNBOUNDED = 1_000

_FUNCTIONS: Mapping[str, tuple[int, int, Callable[[Arguments], Condition]]] = {
    **{operator.value: (2, 2, _text(operator)) for operator in TextOperator},
    "not_glob": (2, 2, _not_text(TextOperator.GLOB)),
    "not_iglob": (2, 2, _not_text(TextOperator.IGLOB)),
    "except_of": (2, 2, lambda arguments: ExceptOf(path_of(arguments[0]), scalars_of(arguments[1]))),
    "geo_radius": (4, 4, _radius),
    "geo_bounding_box": (3, 3, _box),
    "geo_polygon": (2, _UNBOUNDED, _polygon),
    "is_null": (1, 1, lambda arguments: IsNull(path_of(arguments[0]))),
    "is_empty": (1, 1, lambda arguments: IsEmpty(path_of(arguments[0]))),
    "exists": (1, 1, lambda arguments: Exists(path_of(arguments[0]))),
    "has_id": (1, 1, _ids),
    "has_vector": (1, 1, lambda arguments: HasVector(string_of(arguments[0]))),
}
"""Fewest and most arguments of each function, and what makes a condition of them."""
