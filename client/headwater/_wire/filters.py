"""Converts filters from the client's conditions to the contract. The only file that maps kinds of conditions."""

from typing import Any, cast

from headwater._plain import instant_text
from headwater._wire.limits import check_depth, refused, unsigned
from headwater._wire.values import id_messages, value_message
from headwater.errors import InvalidFilterError, InvalidPayloadError
from headwater.filters import (
    AnyOf,
    Condition,
    DatetimeRange,
    Equal,
    ExceptOf,
    Exists,
    Filter,
    FilterBuilder,
    FilterLike,
    GeoBoundingBox,
    GeoPolygon,
    GeoRadius,
    HasId,
    HasVector,
    IsEmpty,
    IsNull,
    MinShould,
    Nested,
    Place,
    Range,
    Scalar,
    TextTest,
    ValuesCount,
)
from headwater.v1 import common_pb2, filter_pb2, payload_pb2


def filter_message(given: FilterLike | None) -> filter_pb2.Filter | None:
    """Returns None when there is no filter. Raises TypeError for a value that is not a filter."""
    match given:
        case None:
            return None
        case "":  # on the wire it would mean no filter, and then a delete would delete everything
            raise refused(InvalidFilterError, "filter", "the text is empty; `true` matches every point")
        case str():
            return filter_pb2.Filter(expression=given)
        case FilterBuilder():
            return _filter(given.build())
        case Filter():
            return _filter(given)
        case _:
            return filter_pb2.Filter(must=[_condition(cast(Condition, given), 1)])


def _filter(given: Filter, depth: int = 1) -> filter_pb2.Filter:
    check_depth(depth, "filter")
    return filter_pb2.Filter(
        must=_conditions(given.must, depth),
        should=_conditions(given.should, depth),
        must_not=_conditions(given.must_not, depth),
        min_should=_min_should(given.min_should, depth),
        expression=given.expression,
    )


def _min_should(given: MinShould | None, depth: int) -> filter_pb2.MinShould | None:
    if given is None:
        return None
    return filter_pb2.MinShould(
        conditions=_conditions(given.conditions, depth),
        min_count=unsigned(given.min_count, "min_should.min_count", InvalidFilterError),
    )


def _conditions(given: tuple[Condition, ...], depth: int) -> list[filter_pb2.Condition]:
    return [_condition(condition, depth) for condition in given]


def _condition(given: Condition, depth: int) -> filter_pb2.Condition:
    match given:
        case Filter():
            return filter_pb2.Condition(filter=_filter(given, depth + 1))
        case HasId(ids):
            return filter_pb2.Condition(has_id=common_pb2.PointIdList(ids=id_messages(ids, "has_id")))
        case HasVector(using):
            return filter_pb2.Condition(has_vector=filter_pb2.HasVectorCondition(using=using))
        case IsNull(path):
            return filter_pb2.Condition(is_null=filter_pb2.PathCondition(path=path))
        case IsEmpty(path):
            return filter_pb2.Condition(is_empty=filter_pb2.PathCondition(path=path))
        case Exists(path):
            return filter_pb2.Condition(exists=filter_pb2.PathCondition(path=path))
        case Nested(path, filter):
            return filter_pb2.Condition(nested=filter_pb2.NestedCondition(path=path, filter=_filter(filter, depth + 1)))
        case Equal() | AnyOf() | ExceptOf() | Range() | TextTest() | DatetimeRange() | ValuesCount():
            return filter_pb2.Condition(field=_field(given))
        case GeoRadius() | GeoBoundingBox() | GeoPolygon():
            return filter_pb2.Condition(field=_place_field(given))
        case _:
            raise TypeError(f"a filter is made of conditions, not of {type(given).__name__}")


def _field(
    given: Equal | AnyOf | ExceptOf | Range | TextTest | DatetimeRange | ValuesCount,
) -> filter_pb2.FieldCondition:
    path = given.path
    match given:
        case Equal():
            return filter_pb2.FieldCondition(path=path, equal=_value(given.value, path))
        case AnyOf():
            return filter_pb2.FieldCondition(path=path, any_of=_list(given.values, path))
        case ExceptOf():
            return filter_pb2.FieldCondition(path=path, except_of=_list(given.values, path))
        case TextTest():
            predicate: dict[str, Any] = {given.operator.value: given.operand}
            return filter_pb2.FieldCondition(path=path, **predicate)
        case Range():
            messages = {name: _value(bound, path) for name, bound in _bounds(given).items()}
            return filter_pb2.FieldCondition(path=path, range=filter_pb2.Range(**messages))
        case DatetimeRange():
            texts = {name: instant_text(bound, f'filter["{path}"]') for name, bound in _bounds(given).items()}
            return filter_pb2.FieldCondition(path=path, datetime_range=filter_pb2.DatetimeRange(**texts))
        case ValuesCount():
            counts = {name: _count(bound, path) for name, bound in _bounds(given).items()}
            return filter_pb2.FieldCondition(path=path, values_count=filter_pb2.ValuesCount(**counts))


def _bounds(given: Range | DatetimeRange | ValuesCount) -> dict[str, Any]:
    bounds = {"gt": given.gt, "gte": given.gte, "lt": given.lt, "lte": given.lte}
    return {name: bound for name, bound in bounds.items() if bound is not None}


def _count(bound: int, path: str) -> int:
    if not 0 <= bound < 2**64:
        raise refused(InvalidFilterError, f'filter["{path}"]', f"{bound} is not a count from 0 to 2^64 - 1")
    return bound


def _place_field(given: GeoRadius | GeoBoundingBox | GeoPolygon) -> filter_pb2.FieldCondition:
    match given:
        case GeoRadius(path, center, radius):
            circle = filter_pb2.GeoRadius(center=_point(center), radius=radius)
            return filter_pb2.FieldCondition(path=path, geo_radius=circle)
        case GeoBoundingBox(path, top_left, bottom_right):
            box = filter_pb2.GeoBoundingBox(top_left=_point(top_left), bottom_right=_point(bottom_right))
            return filter_pb2.FieldCondition(path=path, geo_bounding_box=box)
        case GeoPolygon(path, exterior, interiors):
            rings = [_ring(ring) for ring in interiors]
            polygon = filter_pb2.GeoPolygon(exterior=_ring(exterior), interiors=rings)
            return filter_pb2.FieldCondition(path=path, geo_polygon=polygon)


def _ring(places: tuple[Place, ...]) -> filter_pb2.GeoRing:
    return filter_pb2.GeoRing(points=[_point(place) for place in places])


def _point(place: Place) -> filter_pb2.GeoPoint:
    lat, lon = place
    return filter_pb2.GeoPoint(lat=lat, lon=lon)


def _list(values: tuple[Scalar, ...], path: str) -> payload_pb2.ListValue:
    return payload_pb2.ListValue(values=[_value(value, path) for value in values])


def _value(value: Scalar, path: str) -> payload_pb2.Value:
    field = f'filter["{path}"]'
    try:
        return value_message(value, field)
    except InvalidPayloadError as error:
        what = error.field_violations[0].description
        if path == "$id" and isinstance(value, int) and 2**63 <= value < 2**64:
            what = f"{value} is above 2^63 - 1, the largest number in a comparison; has_id([{value}]) finds the point"
        raise refused(InvalidFilterError, field, what) from None
