"""Words for messages: what a type hint accepts. Changes no value."""

import dataclasses
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from typing import Any, Union, get_args, get_origin

from headwater._plain.spelling import listed

_WORDS: dict[Any, str] = {
    str: "a string",
    int: "an integer",
    float: "a number",
    bool: "True or False",
    Mapping: "a dict",
    Sequence: "a list",
    Iterable: "a list",
    tuple: "a tuple",
    list: "a list",
    Callable: "a function",
}


def described(hint: Any) -> str:
    """What a hint accepts."""
    if get_origin(hint) in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(described(part) for part in get_args(hint) if part is not type(None)))
    origin = get_origin(hint) or hint
    if origin in _WORDS:
        return _WORDS[origin]
    if isinstance(origin, type) and issubclass(origin, Enum):
        return f"{origin.__name__} (one of {listed(origin)})"
    if isinstance(origin, type) and dataclasses.is_dataclass(origin):
        return f"{origin.__name__} (also as a dict)"
    return getattr(origin, "__name__", str(origin))


def refusal(given: object, path: str, hint: Any) -> TypeError:
    """The error for a value of the wrong type. `path` names the value."""
    return TypeError(f"{path} takes {described(hint)}, not {type(given).__name__}")


def plural(hint: Any) -> str:
    """The plural for values of a hint."""
    return "strings" if hint is str else f"items that are each {described(hint)}" if hint is not Any else "items"


def shape_of(given: Any) -> str:
    """The length of a list or tuple; the type of other values."""
    return f"one of {len(given)}" if isinstance(given, tuple | list) else type(given).__name__
