"""Converts the arguments of a public method, by its type hints, to the values that the method works with.

coercion.py says what each hint accepts. Python itself refuses unknown arguments.
"""

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, get_type_hints

import headwater._plain.hint_rules  # noqa: F401  (adds its rules)
from headwater._plain.coercion import Coercer, coercer_of
from headwater._plain.scalars import number


class Arguments:
    """The coercers of a method's arguments, made when it is first called."""

    __slots__ = ("_by_name", "_function", "_names")

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._by_name: Mapping[str, Coercer] | None = None
        self._names: tuple[str, ...] = ()

    def __call__(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """The arguments after `self`. Raises TypeError or ValueError naming the argument."""
        by_name = self._by_name if self._by_name is not None else self._resolved()
        if len(args) > len(self._names):
            return [*args], {**kwargs}
        return (
            [_coerced(by_name[name], value, name) for name, value in zip(self._names, args, strict=False)],
            {
                name: _coerced(by_name[name], value, name) if name in by_name else value
                for name, value in kwargs.items()
            },
        )

    def each(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The same for arguments in a dict by name."""
        return self((), given)[1]

    def by_name(self, given: Sequence[Any], named: Mapping[str, Any]) -> dict[str, Any]:
        """All arguments of a call by their names."""
        return {**dict(zip(self._names, given, strict=False)), **named}

    def _resolved(self) -> Mapping[str, Coercer]:
        hints = get_type_hints(self._function)
        parameters = list(inspect.signature(self._function).parameters.values())[1:]
        self._names = tuple(each.name for each in parameters if each.kind is each.POSITIONAL_OR_KEYWORD)
        self._by_name = {each.name: _coercer(each.name, hints[each.name]) for each in parameters}
        return self._by_name


@cache
def _coercer(name: str, hint: Any) -> Coercer:
    return _seconds if name == "timeout" else coercer_of(hint)


def _seconds(given: Any, path: str) -> float | None:
    """Seconds, or None."""
    if given is None:
        return None
    seconds = number(given, path)
    if not math.isfinite(seconds):
        raise ValueError(f"{path} takes a finite number of seconds, not {seconds}; None means the client's timeout")
    return min(seconds, _LONGEST)


_LONGEST = 10.0 * 365 * 24 * 3600
"""Seconds: longer than any call takes, and short enough for gRPC."""


def _coerced(coercer: Coercer, value: Any, name: str) -> Any:
    try:
        return coercer(value, name)
    except RecursionError:
        raise ValueError(f"{name} is nested too deeply, or contains itself") from None
