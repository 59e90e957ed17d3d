"""Filters from the client's conditions to the contract. The only file that maps kinds of conditions."""

from headwater._wire.limits import check_depth, refused
from headwater._wire.values import id_messages, value_message
from headwater.errors import InvalidFilterError, InvalidPayloadError
from headwater.filters import (
    AnyOf,
    Condition,
    Equal,
    ExceptOf,
    Filter,
    FilterBuilder,
    FilterLike,
    HasId,
    HasVector,
    IsEmpty,
    IsNull,
    MinShould,
    Range,
    Scalar,
)
from headwater.v1 import common_pb2, filter_pb2, payload_pb2


def filter_message(given: FilterLike | None) -> filter_pb2.Filter | None:
    """None for no filter. Raises TypeError for what is no filter."""
    match given:
        case None:
            return None
        case FilterBuilder():
            return _filter(given.build())
        case Filter():
            return _filter(given)
        case _:
            return filter_pb2.Filter(must=[_condition(given, 1)])


def _filter(given: Filter, depth: int = 1) -> filter_pb2.Filter:
    check_depth(depth, "filter")
    return filter_pb2.Filter(
        must=_conditions(given.must, depth),
        should=_conditions(given.should, depth),
        must_not=_conditions(given.must_not, depth),
        min_should=_min_should(given.min_should, depth),
    )


def _min_should(given: MinShould | None, depth: int) -> filter_pb2.MinShould | None:
    if given is None:
        return None
    return filter_pb2.MinShould(conditions=_conditions(given.conditions, depth), min_count=given.min_count)


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
        case Equal() | AnyOf() | ExceptOf() | Range():
            return filter_pb2.Condition(field=_field(given))
        case _:
            raise TypeError(f"a filter is made of conditions, not of {type(given).__name__}")


def _field(given: Equal | AnyOf | ExceptOf | Range) -> filter_pb2.FieldCondition:
    path = given.path
    match given:
        case Equal():
            return filter_pb2.FieldCondition(path=path, equal=_value(given.value, path))
        case AnyOf():
            return filter_pb2.FieldCondition(path=path, any_of=_list(given.values, path))
        case ExceptOf():
            return filter_pb2.FieldCondition(path=path, except_of=_list(given.values, path))
        case Range():
            bounds = {"gt": given.gt, "gte": given.gte, "lt": given.lt, "lte": given.lte}
            messages = {name: _value(bound, path) for name, bound in bounds.items() if bound is not None}
            return filter_pb2.FieldCondition(path=path, range=filter_pb2.Range(**messages))


def _list(values: tuple[Scalar, ...], path: str) -> payload_pb2.ListValue:
    return payload_pb2.ListValue(values=[_value(value, path) for value in values])


def _value(value: Scalar, path: str) -> payload_pb2.Value:
    field = f'filter["{path}"]'
    try:
        return value_message(value, field)
    except InvalidPayloadError as error:
        raise refused(InvalidFilterError, field, error.field_violations[0].description) from None
