"""Reads values from stored JSON: each has the type that its field declares, or the error says where it does not.

It knows types alone. The code that uses the values checks whether they fit together.
"""

import dataclasses
import json
import math
import struct
from collections.abc import Callable, Collection, Mapping
from enum import Enum
from functools import lru_cache
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

Kind = TypeVar("Kind")
Value = TypeVar("Value")

LARGEST_U64 = 2**64 - 1
"""The largest stored integer."""


class Unreadable(ValueError):
    """Stored data differ from what this program writes. The text says where, and what is there."""


SIGNS_OF_DAMAGE = (
    *(ValueError, LookupError, TypeError, AttributeError, ArithmeticError, AssertionError, RecursionError),
    struct.error,
)
"""What reading stored values raises when they do not fit together."""


def unfit(error: Exception) -> str:
    """The text for one of these errors. It does not repeat Python's own wording."""
    return str(error) if isinstance(error, Unreadable) else "its contents do not fit together"


def parsed(data: bytes, what: str) -> dict[str, Any]:
    """The JSON object in `data`. `what` names it in errors. Raises Unreadable."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        raise Unreadable(f"{what} is not valid JSON") from None
    return mapping(found, what)


def mapping(value: object, where: str) -> dict[str, Any]:
    """Raises Unreadable unless `value` is a JSON object."""
    if not isinstance(value, dict):
        raise _refused(value, "an object", where)
    return value


def each(value: object, where: str, read: Callable[[Any, str], Value]) -> dict[str, Value]:
    """Applies `read` to each value of a JSON object; returns the results by key."""
    return {key: read(part, f"{where}[{_shown(key)}]") for key, part in mapping(value, where).items()}


def made(
    kind: type[Kind], value: object, where: str, *, required: Collection[str] = (), ignore_others: bool = False
) -> Kind:
    """The dataclass `kind` from a JSON object. Fields without a default, and `required` ones, must be there.

    Raises Unreadable, also for unknown keys unless `ignore_others`.
    """
    given = mapping(value, where)
    declared: Any = kind
    fields = _fields(declared)
    others = [] if ignore_others else [key for key in given if key not in fields]
    if others:
        raise Unreadable(f"{where} has the unknown key {_shown(others[0])}")
    for name, (_, must) in fields.items():
        if name not in given and (must or name in required):
            raise Unreadable(f"{where} lacks the key {name!r}")
    taken = {name: typed(fields[name][0], part, f"{where}.{name}") for name, part in given.items() if name in fields}
    return kind(**taken)


def typed(kind: Any, value: object, where: str) -> Any:
    """`value` as a field of the type `kind` holds it. Raises Unreadable."""
    if get_origin(kind) is UnionType:
        [other] = [part for part in get_args(kind) if part is not type(None)]
        return None if value is None else typed(other, value, where)
    if get_origin(kind) is tuple:
        if not isinstance(value, list):
            raise _refused(value, "a list", where)
        return tuple(typed(get_args(kind)[0], part, f"{where}[{number}]") for number, part in enumerate(value))
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return made(kind, value, where)
    if isinstance(kind, type) and issubclass(kind, Enum):
        known = {member.value: member for member in kind}
        if not isinstance(value, str) or value not in known:
            raise _refused(value, f"one of {', '.join(map(repr, known))}", where)
        return known[value]
    return _scalar(kind, value, where)


def _scalar(kind: Any, value: object, where: str) -> object:
    is_bool = isinstance(value, bool)
    if kind is bool and is_bool:
        return value
    if kind is str and isinstance(value, str):
        return value
    if kind is int and isinstance(value, int) and not is_bool and 0 <= value <= LARGEST_U64:
        return value
    if kind is float and isinstance(value, float) and math.isfinite(value):
        return value
    if kind is float and isinstance(value, int) and not is_bool and abs(value) <= LARGEST_U64:
        return float(value)
    names = {bool: "true or false", str: "a text", int: "a whole number of 64 bits", float: "a number"}
    raise _refused(value, names[kind], where)


@lru_cache(maxsize=64)
def _fields(kind: Any) -> Mapping[str, tuple[Any, bool]]:
    """The type of each field, and whether it must be given."""
    hints = get_type_hints(kind)
    missing = dataclasses.MISSING
    return {
        field.name: (hints[field.name], field.default is missing and field.default_factory is missing)
        for field in dataclasses.fields(kind)
    }


def _refused(value: object, wanted: str, where: str) -> Unreadable:
    return Unreadable(f"{where} is {_shown(value)}, not {wanted}")


def _shown(value: object) -> str:
    """A value as JSON writes it, shortened."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > LARGEST_U64:
        return "an integer of more than 64 bits"
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:60]}..."
