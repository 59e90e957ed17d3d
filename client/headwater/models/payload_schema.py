"""Indexes of payload fields as a user declares and sees them. Values of enums are their names on the wire."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any


class FieldType(Enum):
    """The type of values at a payload path that an index covers. It may be its name in lower case: "keyword"."""

    KEYWORD = "FIELD_TYPE_KEYWORD"
    """Strings, whole."""
    INTEGER = "FIELD_TYPE_INTEGER"
    """Numbers without a fraction."""
    FLOAT = "FIELD_TYPE_FLOAT"
    """Numbers."""
    BOOL = "FIELD_TYPE_BOOL"
    """Bools."""
    DATETIME = "FIELD_TYPE_DATETIME"
    """Strings that are dates, or dates and times, by ISO 8601; `OrderBy` compares them as instants."""
    UUID = "FIELD_TYPE_UUID"
    """Strings that are UUIDs; they compare as they are written."""
    GEO = "FIELD_TYPE_GEO"
    """Places: objects with `lat` and `lon`."""
    TEXT = "FIELD_TYPE_TEXT"
    """Strings, by their words."""


@dataclass(frozen=True, slots=True)
class FieldIndexParams:
    """An index of a payload field. `lazy`: it is built when a filter first needs it, not when the collection opens.

    `type` may be None when it is given outside the params.
    """

    type: FieldType | str | None = None
    lazy: bool = False


class FieldIndexState(Enum):
    """The state of an index. Filters are right in every state."""

    PENDING = "FIELD_INDEX_STATE_PENDING"
    BUILDING = "FIELD_INDEX_STATE_BUILDING"
    READY = "FIELD_INDEX_STATE_READY"


@dataclass(frozen=True, slots=True)
class FieldIndexInfo:
    """A declared index. `points`: how many points have a value of the type at the path; 0 until it is READY."""

    type: FieldType
    lazy: bool
    points: int
    state: FieldIndexState


FieldIndexLike = FieldType | FieldIndexParams | str | Mapping[str, Any]
PayloadSchema = Mapping[str, FieldIndexLike]
"""Indexes by path: `{"price": "float", "color": FieldType.KEYWORD}`."""
