"""What the type of a declared index means: which values are of it, and what is prepared for their tests."""

import re
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from planner.payload_index.distinct_values import Kind
from planner.payload_index.index import FieldIndex, distinct
from planner.predicate import path_text
from storage.budget import Budget
from storage.errors import InvalidRequest
from storage.schema import CollectionSchema, FieldType

_UUID_DIGITS = re.compile(r"[0-9A-Fa-f]{32}")


def check_index_path(path: str, field: str = "path") -> str:
    """The path in its normal form. Raises InvalidRequest, which names `field`, for what is no path."""
    try:
        return path_text(path)
    except ValueError as error:
        raise InvalidRequest(field, str(error)) from None


def points_of(index: FieldIndex, kind: FieldType, budget: Budget) -> int:
    """How many points have a value of the type."""
    return len(distinct(index.slots[_of_type(index, kind, budget)[index.codes]]))


def prepare(index: FieldIndex, kind: FieldType, budget: Budget) -> None:
    """Makes the columns now that the first tests of such values would make."""
    values, count = index.values, index.value_count
    match kind:
        case FieldType.INTEGER | FieldType.FLOAT:
            values.numbers(count, budget)
        case FieldType.DATETIME:
            values.instants(count, budget)
        case FieldType.GEO:
            values.locations(count, budget)
        case FieldType.TEXT:
            values.codes_with_words(("",), count, budget)
        case FieldType.KEYWORD | FieldType.UUID:
            values.strings(count)
        case FieldType.BOOL:
            pass
        case _:
            assert_never(kind)


def _of_type(index: FieldIndex, kind: FieldType, budget: Budget) -> NDArray[np.bool_]:
    """A mask (value_count,): which values of the index are of the type."""
    values, count = index.values, index.value_count
    match kind:
        case FieldType.KEYWORD | FieldType.TEXT:
            return values.are(count, Kind.STRING)
        case FieldType.INTEGER:
            numbers = values.numbers(count, budget)
            return np.equal(numbers, np.floor(numbers), dtype=np.bool_)
        case FieldType.FLOAT:
            return values.are(count, Kind.NUMBER)
        case FieldType.BOOL:
            return values.are(count, Kind.BOOL)
        case FieldType.DATETIME:
            return np.isfinite(values.instants(count, budget))
        case FieldType.UUID:
            return np.fromiter((_is_uuid(value) for value in values.values[:count]), np.bool_, count)
        case FieldType.GEO:
            return values.are(count, Kind.LOCATION)
    assert_never(kind)


def _is_uuid(value: object) -> bool:
    """Whether a value is a string that is a UUID, with or without hyphens."""
    if not isinstance(value, str) or not 32 <= len(value) <= 45:
        return False
    digits = value.replace("urn:", "").replace("uuid:", "").strip("{}").replace("-", "")
    return _UUID_DIGITS.fullmatch(digits) is not None


def compares_instants(path: str, schema: CollectionSchema) -> bool:
    """Whether strings at the path are ordered as instants. Requires: a valid path."""
    params = schema.field_indexes.get(path_text(path))
    return params is not None and params.type is FieldType.DATETIME
