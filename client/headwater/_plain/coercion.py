"""Plain data converted to the values that a type hint names: dicts to models, strings to enums, numpy scalars.

`coercer_of(hint)` makes one function per hint, once. The function takes a value and its path, and returns the value. It
raises TypeError or ValueError, which names the path and says what is accepted. The fields of a model are converted by
their own hints. hint_rules.py adds rules for hints that mean more than their type says, such as filters.
"""

import dataclasses
import functools
import operator
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from enum import Enum
from functools import cache, partial
from typing import Any, Literal, TypeGuard, Union, get_args, get_origin, get_type_hints

import numpy as np

from headwater._plain.hint_words import plural, refusal, shape_of
from headwater._plain.scalars import integer, number, text, truth
from headwater._plain.spelling import member_of, snake_case

Coercer = Callable[[Any, str], Any]
RULES: dict[Any, Coercer] = {}
"""Coercers of hints that mean more than their type says. A hint without None stands for it with None too."""
ALSO_NAMED: dict[type, Mapping[str, str]] = {}
"""Other names of fields in dicts, by the model."""


@cache
def coercer_of(hint: Any) -> Coercer:
    """The function that converts values for a hint. It accepts None only where the hint allows it."""
    if hint in RULES:
        return RULES[hint]
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return _union(hint)
    if hint is Any or origin is Literal:
        return _anything
    if origin is Callable:
        return _function
    if origin is not None:
        return _generic(hint, origin)
    if hint in _PRIMITIVES:
        return _PRIMITIVES[hint]
    if isinstance(hint, type) and issubclass(hint, Enum):
        return partial(member_of, hint)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return partial(_model, hint)
    return partial(_instance, hint)


def _anything(given: Any, path: str) -> Any:
    return given


def _function(given: Any, path: str) -> Any:
    if not callable(given):
        raise TypeError(f"{path} takes a function, not {type(given).__name__}")
    return given


def _instance(kind: type, given: Any, path: str) -> Any:
    if not isinstance(given, kind):
        raise TypeError(f"{path} takes {kind.__name__}, not {type(given).__name__}")
    return given


def _nothing(given: Any, path: str) -> None:
    if given is not None:
        raise TypeError(f"{path} takes None, not {type(given).__name__}")


_PRIMITIVES: dict[Any, Coercer] = {str: text, int: integer, float: number, bool: truth, type(None): _nothing}


def _union(hint: Any) -> Coercer:
    parts = tuple(part for part in get_args(hint) if part is not type(None))
    optional = len(parts) < len(get_args(hint))
    whole = functools.reduce(operator.or_, parts) if len(parts) > 1 else parts[0]
    inner = coercer_of(whole) if whole in RULES or len(parts) == 1 else partial(_one_of, whole, parts)
    if not optional:
        return inner
    return lambda given, path: None if given is None else inner(given, path)


def _one_of(whole: Any, parts: Sequence[Any], given: Any, path: str) -> Any:
    """The value as the member of a union that fits it best."""
    for part in parts:
        if _is_of(part, given):
            return coercer_of(part)(given, path)
    if isinstance(given, str):
        candidates = [part for part in parts if part is str or _is_enum(part)]
        candidates.sort(key=_is_enum, reverse=True)
    elif isinstance(given, Mapping):
        candidates = _for_mapping(parts, given)
    elif isinstance(given, np.integer | np.floating | np.bool_ | int | float):
        candidates = [part for part in parts if part in (int, float, bool)]
        candidates.sort(key=lambda part: part is float)
        for part in candidates:
            if _fits_number(part, given):
                return coercer_of(part)(given, path)
        candidates = []
    else:
        candidates = [part for part in parts if _is_list(part) and (_is_tuple_of(part, given) or not _is_tuple(part))]
    if not candidates:
        raise refusal(given, path, whole)
    return coercer_of(candidates[0])(given, path)


def _is_of(part: Any, given: Any) -> bool:
    """Whether the value is already an instance of the member. A string never is: it may be the name of an enum."""
    if part is Any:
        return True
    if isinstance(part, type) and part not in (str, int, float, bool) and get_origin(part) is None:
        return isinstance(given, part)
    if get_origin(part) is Callable:
        return callable(given)
    return part is bool and isinstance(given, bool)


def _fits_number(part: Any, given: Any) -> bool:
    if isinstance(given, bool | np.bool_):
        return part is bool
    return part is float or (part is int and isinstance(given, int | np.integer))


def _for_mapping(parts: Sequence[Any], given: Mapping[Any, Any]) -> list[Any]:
    """The members that a dict can become: models, or a dict of models when all its values look like models."""
    models = [part for part in parts if dataclasses.is_dataclass(part)]
    mappings = [part for part in parts if get_origin(part) is Mapping]
    nested = bool(given) and all(isinstance(each, Mapping) or dataclasses.is_dataclass(each) for each in given.values())
    named = [part for part in mappings if get_args(part)[1] is not Any]
    if named and (nested or not given or not models):
        return named
    fitting = [part for part in models if all(_field_name(part, key) for key in given)]
    return [*fitting, *models, *mappings]


def _is_enum(part: Any) -> bool:
    return isinstance(part, type) and issubclass(part, Enum)


def _is_tuple(part: Any) -> bool:
    return get_origin(part) is tuple


def _is_list(part: Any) -> bool:
    return get_origin(part) in (Sequence, Iterable, list, tuple)


def _is_tuple_of(part: Any, given: Any) -> bool:
    return _is_tuple(part) and isinstance(given, tuple | list) and len(given) == len(get_args(part))


def _generic(hint: Any, origin: Any) -> Coercer:
    arguments = get_args(hint)
    if origin is Mapping or origin is dict:
        return partial(_mapping, coercer_of(arguments[1]) if arguments[1] is not Any else _anything)
    if origin is tuple and arguments[-1:] != (Ellipsis,):
        return partial(_tuple, tuple(arguments))
    if origin is tuple:
        return lambda given, path: tuple(_list(arguments[0], given, path))
    if origin is Iterable:
        return partial(_items, arguments[0])
    if origin in (Sequence, list):
        return partial(_list, arguments[0])
    return partial(_instance, origin)


def _mapping(inner: Coercer, given: Any, path: str) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        raise TypeError(f"{path} takes a dict, not {type(given).__name__}")
    return {text(key, f"a key of {path}"): inner(value, f'{path}["{key}"]') for key, value in given.items()}


def _tuple(hints: Sequence[Any], given: Any, path: str) -> tuple[Any, ...]:
    if not isinstance(given, tuple | list) or len(given) != len(hints):
        raise TypeError(f"{path} takes a tuple of {len(hints)} values, not {shape_of(given)}")
    return tuple(
        coercer_of(hint)(value, f"{path}[{position}]")
        for position, (hint, value) in enumerate(zip(hints, given, strict=True))
    )


def _is_many(given: Any) -> TypeGuard[Iterable[Any]]:
    """Whether it is a list of values. Strings, bytes and dicts are not."""
    if isinstance(given, np.ndarray):
        return given.ndim > 0
    return isinstance(given, Iterable) and not isinstance(given, str | bytes | bytearray | memoryview | Mapping)


def _check_many(hint: Any, given: Any, path: str) -> Iterable[Any]:
    if not _is_many(given):
        one = "one string" if isinstance(given, str) else type(given).__name__
        raise TypeError(f"{path} takes a list of {plural(hint)}, not {one}")
    return given


def _list(hint: Any, given: Any, path: str) -> list[Any]:
    return [*iter(_Items(coercer_of(hint), _check_many(hint, given, path), path))]


def _items(hint: Any, given: Any, path: str) -> Iterable[Any]:
    """Converts items one by one as they are read: there may be millions of points, or a generator."""
    many = _check_many(hint, given, path)
    kind = _SizedItems if _has_length(many) else _Items
    return kind(coercer_of(hint), many, path)


def _has_length(items: Iterable[Any]) -> bool:
    try:
        return isinstance(items, Sized) and len(items) >= 0
    except (TypeError, ValueError):
        return False


class _Items:
    """The items of an iterable, coerced one by one."""

    def __init__(self, coercer: Coercer, items: Iterable[Any], path: str) -> None:
        self._coercer, self._items, self._path = coercer, items, path

    def __iter__(self) -> Iterator[Any]:
        for position, item in enumerate(self._items):
            yield self._coercer(item, f"{self._path}[{position}]")


class _SizedItems(_Items):
    """The items of an iterable that knows its length."""

    def __len__(self) -> int:
        return len(self._items)  # type: ignore[arg-type]


@cache
def fields_of(model: Any) -> Mapping[str, Coercer]:
    """Coercers by field."""
    hints = get_type_hints(model)
    return {field.name: coercer_of(hints[field.name]) for field in dataclasses.fields(model)}


def _field_name(model: Any, key: Any) -> str | None:
    """The field that a key of a dict names."""
    if not isinstance(key, str):
        return None
    names = fields_of(model)
    own = ALSO_NAMED.get(model, {}).get(key, key)
    return own if own in names else snake_case(own) if snake_case(own) in names else None


def _model(model: type, given: Any, path: str) -> Any:
    if isinstance(given, model):
        return coerced_fields(given, path)
    if isinstance(given, Mapping):
        return from_mapping(model, given, path)
    raise TypeError(f"{path} takes {model.__name__} or a dict of its fields, not {type(given).__name__}")


def from_mapping(model: type, given: Mapping[Any, Any], path: str) -> Any:
    """The model with these fields. Raises TypeError for an unknown or a missing field."""
    fields = fields_of(model)
    values = {}
    for key, value in given.items():
        name = _field_name(model, key)
        if name is None:
            raise TypeError(f"{path} has no {key!r}; {model.__name__} has {', '.join(fields)}")
        values[name] = fields[name](value, f"{path}.{name}")
    for field in dataclasses.fields(model):
        missing = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if missing and field.init and field.name not in values:
            raise TypeError(f"{path}.{field.name} is missing; {model.__name__} has {', '.join(fields)}")
    try:
        return model(**values)
    except ValueError as error:  # raised by the model's own checks
        raise ValueError(f"{path}: {error}") from None


def coerced_fields(given: Any, path: str) -> Any:
    """The model with converted fields. The same object when nothing changes."""
    model: Any = type(given)
    changed = {}
    for name, coercer in fields_of(model).items():
        value = getattr(given, name)
        coerced = coercer(value, f"{path}.{name}")
        if coerced is not value:
            changed[name] = coerced
    if not changed:
        return given
    copy = object.__new__(model)
    for name in fields_of(model):
        object.__setattr__(copy, name, changed.get(name, getattr(given, name)))
    return copy
