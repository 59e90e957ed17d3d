"""Converts values that JSON does not have to JSON values. The README of the client has the table.

One step at a time: the caller converts the contents of an array, a set or an object.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import is_dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import numpy as np

from headwater._plain.instants import date_text, is_missing


def plain_of(value: Any, path: str) -> Any:
    """The payload value for `value`. Raises TypeError or ValueError, which names the path."""
    if is_missing(value):
        return None
    match value:
        case Enum():
            return value.value
        case date() | time() | np.datetime64():
            return date_text(value)
        case UUID():
            return str(value)
        case Decimal():
            return _of_decimal(value, path)
        case np.ndarray():
            return _of_array(value)
        case set() | frozenset():
            return sorted(value, key=_order)
    if makes_payload(value):
        return value.to_payload()
    if callable(getattr(value, "as_py", None)):  # an Arrow scalar
        return value.as_py()
    if callable(getattr(value, "__array__", None)) and not isinstance(value, np.generic | type):
        return _of_array(np.asarray(value))
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray | memoryview):
        return list(value)
    raise TypeError(f"{path} is of type {type(value).__name__}, which a payload cannot hold{_hint(value)}")


def makes_payload(value: Any) -> bool:
    """Whether the object itself says which payload value stands for it."""
    return callable(getattr(value, "to_payload", None)) and not isinstance(value, type)


def scalar_of(value: Any, path: str) -> Any:
    """The string, number or bool that a filter compares with. Other values come back unchanged."""
    for _ in range(3):  # an enum member may hold a date
        if value is None or (isinstance(value, str | int | float) and not isinstance(value, Enum)):
            return value
        if isinstance(value, np.bool_ | np.integer | np.floating):
            return value.item()
        if not isinstance(value, Enum | date | time | np.datetime64 | UUID | Decimal) or is_missing(value):
            return value
        value = plain_of(value, path)
    return value


def _of_decimal(value: Decimal, path: str) -> int | float:
    """The exact number: an integer, or a double whose shortest text is the same."""
    if value.is_finite():
        if value == value.to_integral_value() and -(2**63) <= value < 2**63:
            return int(value)
        if Decimal(repr(float(value))) == value:
            return float(value)
    raise ValueError(f"{path}: {value} is not exactly a 64-bit number; send float({value!r}) or its text")


def _of_array(values: np.ndarray[Any, Any]) -> Any:
    if values.ndim == 0:
        # tolist() is None where the value is masked; item() would be 0.
        return values.tolist() if values.dtype.kind in "biufU" else values[()]
    return values.tolist() if values.dtype.kind in "biufU" else list(values)


def _order(value: Any) -> tuple[int, float, str]:
    """Sets have no order: numbers come first, then strings, then the others by their texts."""
    if isinstance(value, int | float) and not isinstance(value, Enum):
        return 0, float(value) if abs(value) < 2**1000 else float("inf"), ""
    return (1, 0.0, value) if isinstance(value, str) else (2, 0.0, str(value))


def _hint(value: Any) -> str:
    """What to send instead."""
    match value:
        case bytes() | bytearray() | memoryview():
            return "; base64.b64encode(...).decode() makes a string of it"
        case timedelta() | np.timedelta64():
            return "; timedelta.total_seconds() is a number"
        case complex():
            return "; [value.real, value.imag] is a list"
    if is_dataclass(value) and not isinstance(value, type):
        return "; give it a method to_payload(), or send dataclasses.asdict(value)"
    if isinstance(value, Iterable) and not isinstance(value, Mapping):
        return "; list(value) makes a list of it"
    return ""
