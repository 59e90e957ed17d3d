"""Declared indexes of payload fields: messages <-> types of storage and planner."""

from collections.abc import Mapping

from headwater.v1 import collections_pb2 as wire
from planner.payload_index import FieldIndexStatus, IndexState, check_index_path
from server.convert.field_paths import enum_value, join
from storage.errors import InvalidRequest
from storage.schema import FieldIndexParams, FieldType

FIELD_TYPES: Mapping[int, FieldType] = {
    wire.FIELD_TYPE_KEYWORD: FieldType.KEYWORD,
    wire.FIELD_TYPE_INTEGER: FieldType.INTEGER,
    wire.FIELD_TYPE_FLOAT: FieldType.FLOAT,
    wire.FIELD_TYPE_BOOL: FieldType.BOOL,
    wire.FIELD_TYPE_DATETIME: FieldType.DATETIME,
    wire.FIELD_TYPE_UUID: FieldType.UUID,
    wire.FIELD_TYPE_GEO: FieldType.GEO,
    wire.FIELD_TYPE_TEXT: FieldType.TEXT,
}
INDEX_STATES: Mapping[IndexState, wire.FieldIndexState] = {
    IndexState.PENDING: wire.FIELD_INDEX_STATE_PENDING,
    IndexState.BUILDING: wire.FIELD_INDEX_STATE_BUILDING,
    IndexState.READY: wire.FIELD_INDEX_STATE_READY,
}
_FIELD_TYPE_NUMBERS = {kind: number for number, kind in FIELD_TYPES.items()}


def field_index_params_of(message: wire.FieldIndexParams, path: str) -> FieldIndexParams:
    """The declaration in the message. Raises InvalidRequest if the type is missing or unknown."""
    here = join(path, "type")
    if message.type == wire.FIELD_TYPE_UNSPECIFIED:
        raise InvalidRequest(here, "the type is missing")
    return FieldIndexParams(enum_value(FIELD_TYPES, message.type, here), message.lazy)


def payload_schema_of(fields: Mapping[str, wire.FieldIndexParams]) -> dict[str, FieldIndexParams]:
    """Declarations by path. Raises InvalidRequest for a wrong path, and for a path that is declared twice."""
    found: dict[str, FieldIndexParams] = {}
    for text, message in fields.items():
        here = f'payload_schema["{text}"]'
        path = check_index_path(text, here)
        if path in found:
            raise InvalidRequest(here, f"the path {path!r} is declared twice")
        found[path] = field_index_params_of(message, here)
    return found


def field_index_info(status: FieldIndexStatus) -> wire.FieldIndexInfo:
    params = wire.FieldIndexParams(
        type=_FIELD_TYPE_NUMBERS[status.params.type],  # type: ignore[arg-type]
        lazy=status.params.lazy,
    )
    return wire.FieldIndexInfo(params=params, points=status.points, state=INDEX_STATES[status.state])
