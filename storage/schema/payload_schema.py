"""Declared indexes of payload fields: types and settings, as frozen data with a JSON form for the disk.

Only declarations are stored. The contents of an index are derived from payloads and made in memory, above storage.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any

from storage.errors import FieldIndexAlreadyExists, InvalidRequest, LimitExceeded
from storage.schema.stored import each, made

MAX_FIELD_INDEXES = 256
"""Declared indexes of a collection. Each of them must follow all commits, so their number costs time."""

MAX_PATH_BYTES = 1_024
"""UTF-8 bytes of the path of a declared index; paths are part of the schema."""


class FieldType(Enum):
    """The values that a declared index covers. Persisted by value: do not rename."""

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
    """A declared index. `lazy`: it is made when a filter first needs it, not as soon as its collection is open."""

    type: FieldType
    lazy: bool = False


FieldIndexSchema = Mapping[str, FieldIndexParams]
"""Declared indexes by path."""


def to_json(fields: FieldIndexSchema) -> dict[str, Any]:
    return {path: {"type": params.type.value, "lazy": params.lazy} for path, params in fields.items()}


def from_json(data: object, where: str) -> dict[str, FieldIndexParams]:
    """`where` names the data in errors. Raises Unreadable."""
    return each(data, where, partial(made, FieldIndexParams, required=("lazy",), ignore_others=True))


def check_fields(fields: FieldIndexSchema, field: str) -> None:
    """Raises LimitExceeded or InvalidRequest unless a collection may have these declarations. `field` is the field of
    the request."""
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
    """The declarations after a change. Deleting an absent one, or creating an equal one again, changes nothing.

    Raises FieldIndexAlreadyExists when a path has an index of another type or setting, and LimitExceeded.
    """
    left = {path: params for path, params in fields.items() if path not in delete}
    for path, params in create.items():
        if path in left and left[path] != params:
            raise FieldIndexAlreadyExists(path, left[path].type.value, lazy=left[path].lazy)
        left[path] = params
    if create:
        check_fields(left, "path")
    return left
