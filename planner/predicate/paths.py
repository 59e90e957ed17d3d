r"""Paths into payloads: `a`, `a.b`, `a[].b`, `"a.b".c`. Parses them, finds values, and keeps or removes what they lead
to.

    path = step ("." step)*      step = key "[]"*      key = one or more of any but . [ ] "  |  quoted
    quoted = '"' (any but " and \  |  \"  |  \\)+ '"'

A step descends into an object. `[]` descends into every element of an array, and nothing else does: `a.b` finds nothing
when `a` is an array. This file knows nothing of conditions.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from planner.errors import InvalidQuery
from storage.errors import InvalidRequest

_STEP = re.compile(r'(?:"((?:[^"\\]|\\["\\])+)"|([^.\[\]"]+))((?:\[\])*)(\.|\Z)')
_PLAIN = re.compile(r'[^.\[\]"]+')
_ESCAPE = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class Step:
    """Descends to one key, then `arrays` times into every element."""

    key: str
    arrays: int


@lru_cache(maxsize=4_096)
def parse_path(text: str) -> tuple[Step, ...]:
    """The steps of a path. Raises ValueError, which says at which character the path goes wrong."""
    steps: list[Step] = []
    position = 0
    while True:
        found = _STEP.match(text, position)
        if found is None:
            raise ValueError(f"{text!r} is no path: a key is expected at character {position + 1}")
        quoted, plain, arrays, dot = found.groups()
        steps.append(Step(plain if quoted is None else _ESCAPE.sub(r"\1", quoted), len(arrays) // 2))
        position = found.end()
        if not dot:
            return tuple(steps)


def check_path(text: str, field: str, refusal: type[InvalidRequest] = InvalidQuery) -> None:
    """Raises `refusal`, which names `field`, if `text` is no path."""
    try:
        parse_path(text)
    except ValueError as error:
        raise refusal(field, str(error)) from None


@lru_cache(maxsize=4_096)
def path_text(text: str) -> str:
    """The path in its only normal form: keys are quoted only where they must be. Raises ValueError."""
    return ".".join(_key_text(step.key) + "[]" * step.arrays for step in parse_path(text))


def _key_text(key: str) -> str:
    if _PLAIN.fullmatch(key):
        return key
    return '"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'


def first_key(text: str) -> str:
    """The top-level key of a path."""
    return parse_path(text)[0].key


def values_at(payload: Mapping[str, object], steps: tuple[Step, ...]) -> list[object]:
    """Every value that the path leads to, in order. It may lead to none."""
    values: list[object] = [payload]
    for step in steps:
        values = [value[step.key] for value in values if isinstance(value, dict) and step.key in value]
        for _ in range(step.arrays):
            values = [element for value in values if isinstance(value, list) for element in value]
    return values


@dataclass(slots=True)
class _Tree:
    """Paths as a tree. `whole`: a path ends here. `keys` lead into objects, `elements` into arrays."""

    whole: bool = False
    keys: dict[str, "_Tree"] = field(default_factory=dict)
    elements: "_Tree | None" = None


def _tree(paths: Iterable[str]) -> _Tree:
    root = _Tree()
    for path in paths:
        node = root
        for step in parse_path(path):
            node = node.keys.setdefault(step.key, _Tree())
            for _ in range(step.arrays):
                node.elements = node.elements or _Tree()
                node = node.elements
        node.whole = True
    return root


class _Nothing:
    """Stands for a value of which nothing was chosen."""


_NOTHING: Final = _Nothing()


def keep(payload: dict[str, object], paths: Iterable[str]) -> dict[str, object]:
    """Only what the paths lead to. Objects and arrays are left out if nothing in them is kept.

    If something in an array is kept, all its elements keep their positions. An element of which nothing is kept becomes
    an empty object, an empty array, or None.
    """
    kept = _keep(payload, _tree(paths))
    return kept if isinstance(kept, dict) else {}


def _keep(value: object, tree: _Tree) -> object:
    if tree.whole:
        return value
    if isinstance(value, dict) and tree.keys:
        parts = {key: _keep(value[key], below) for key, below in tree.keys.items() if key in value}
        kept = {key: part for key, part in parts.items() if part is not _NOTHING}
        return kept or _NOTHING
    if isinstance(value, list) and tree.elements is not None:
        elements = [_keep(element, tree.elements) for element in value]
        if all(element is _NOTHING for element in elements):
            return _NOTHING
        return [_hollow(old) if new is _NOTHING else new for old, new in zip(value, elements, strict=True)]
    return _NOTHING


def _hollow(value: object) -> object:
    """What stands for an element of which nothing is kept."""
    return {} if isinstance(value, dict) else [] if isinstance(value, list) else None


def remove(payload: dict[str, object], paths: Iterable[str]) -> dict[str, object]:
    """A copy without what the paths lead to. What surrounds it stays, even if it becomes empty."""
    return _without_keys(payload, _tree(paths))


def _without_keys(value: dict[str, object], tree: _Tree) -> dict[str, object]:
    return {
        key: _remove(part, tree.keys[key]) if key in tree.keys else part
        for key, part in value.items()
        if key not in tree.keys or not tree.keys[key].whole
    }


def _remove(value: object, tree: _Tree) -> object:
    if isinstance(value, dict) and tree.keys:
        return _without_keys(value, tree)
    if isinstance(value, list) and tree.elements is not None:
        return [] if tree.elements.whole else [_remove(element, tree.elements) for element in value]
    return value
