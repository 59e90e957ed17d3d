"""Declared indexes of payload fields: their types and settings, as frozen data with a JSON form for the disk.

Only declarations are stored. What an index holds is derived from payloads and made in memory, above storage.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any

from storage.errors import FieldIndexAlreadyExists, InvalidRequest, LimitExceeded
from storage.schema.stored import each, made

MAX_FIELD_INDEXES = 256
"""Declared indexes of a collection: all of them follow every commit that is filtered."""

MAX_PATH_BYTES = 1_024
"""Bytes of UTF-8 of the path of a declared index: it is part of the schema."""


class FieldType(Enum):
    """Which values at a path a declared index is for. Persisted by value: do not rename."""

    KEYWORD = "keyword"
    INTEGER = "integer"
    FLOAT = "float"
    BOOL = "bool"
    DATETIME = "datetime"
    UUID = "uuid"
    GEO = "geo"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class FieldIndexParams:
    """A declared index. `lazy`: made when a filter first needs it, instead of once its collection is open."""

    type: FieldType
    lazy: bool = False


FieldIndexSchema = Mapping[str, FieldIndexParams]
"""Declared indexes by path."""


def to_json(fields: FieldIndexSchema) -> dict[str, Any]:
    return {path: {"type": params.type.value, "lazy": params.lazy} for path, params in fields.items()}


def from_json(data: object, where: str) -> dict[str, FieldIndexParams]:
    """`where` names the data. Raises Unreadable."""
    return each(data, where, partial(made, FieldIndexParams, required=("lazy",), ignore_others=True))


def check_fields(fields: FieldIndexSchema, field: str) -> None:
    """Raises LimitExceeded unless there may be these declarations; `field` is where the request has them."""
    if len(fields) > MAX_FIELD_INDEXES:
        raise LimitExceeded(field, limit="MAX_FIELD_INDEXES", maximum=MAX_FIELD_INDEXES, actual=len(fields))
    for path in fields:
        length = len(path.encode())
        if length > MAX_PATH_BYTES:
            what = f"the path has {length:,} bytes, more than MAX_PATH_BYTES allows ({MAX_PATH_BYTES:,})"
            raise InvalidRequest(field, what, limit="MAX_PATH_BYTES", maximum=MAX_PATH_BYTES, actual=length)


def changed_fields(
    fields: FieldIndexSchema, create: FieldIndexSchema, delete: tuple[str, ...]
) -> dict[str, FieldIndexParams]:
    """The declarations after a change. Deleting what is not there changes nothing, nor does creating it again.

    Raises FieldIndexAlreadyExists when a path has an index of another type or setting, LimitExceeded.
    """
    left = {path: params for path, params in fields.items() if path not in delete}
    for path, params in create.items():
        if path in left and left[path] != params:
            raise FieldIndexAlreadyExists(path, left[path].type.value, lazy=left[path].lazy)
        left[path] = params
    if create:
        check_fields(left, "path")
    return left
