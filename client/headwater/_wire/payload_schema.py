"""Converts indexes of payload fields between the client's models and the contract."""

from collections.abc import Mapping
from typing import Any

from headwater._plain import member_of
from headwater._wire.enum_names import made
from headwater.models import (
    FieldIndexInfo,
    FieldIndexLike,
    FieldIndexParams,
    FieldIndexState,
    FieldType,
    PayloadSchema,
)
from headwater.v1 import collections_pb2


def field_index_message(
    given: FieldIndexLike | None, params: FieldIndexParams | Mapping[str, Any] | None = None
) -> collections_pb2.FieldIndexParams:
    """`given` or `params` gives the type. Raises ValueError when neither or both give one, or when it is unknown."""
    if isinstance(given, FieldIndexParams):
        if params is not None:
            raise ValueError("the params are given twice, in field_type and in params")
        given, params = None, given
    settings = FieldIndexParams() if params is None else made(FieldIndexParams, params)
    if given is not None and settings.type is not None:
        raise ValueError("the type is given twice, in field_type and in params")
    kind = settings.type if given is None else given
    if kind is None:
        raise ValueError("the type of the index is missing: give field_type or the type of params, such as 'keyword'")
    return collections_pb2.FieldIndexParams(type=member_of(FieldType, kind, "field_type").value, lazy=settings.lazy)


def payload_schema_messages(schema: PayloadSchema | None) -> dict[str, collections_pb2.FieldIndexParams]:
    return {path: field_index_message(given) for path, given in (schema or {}).items()}


def field_index_of(message: collections_pb2.FieldIndexInfo) -> FieldIndexInfo:
    return FieldIndexInfo(
        type=FieldType(collections_pb2.FieldType.Name(message.params.type)),
        lazy=message.params.lazy,
        points=message.points,
        state=FieldIndexState(collections_pb2.FieldIndexState.Name(message.state)),
    )
