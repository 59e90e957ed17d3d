"""Enum members by their names as people write them: `cosine`, `Cosine`, `push-down`."""

import re
from collections.abc import Mapping
from enum import Enum
from functools import cache
from typing import TypeVar

E = TypeVar("E", bound=Enum)

_ALSO: Mapping[str, Mapping[str, str]] = {
    "Direction": {"asc": "ASCENDING", "desc": "DESCENDING"},
    "Distance": {"euclidean": "EUCLID", "l2": "EUCLID", "l1": "MANHATTAN"},
    "Metric": {"euclidean": "EUCLID", "l2": "EUCLID", "l1": "MANHATTAN"},
}
"""Other common names of members, by the name of the enum."""


def member_of(kind: type[E], given: object, path: str) -> E:
    """The member with this name, in any case and with any separators. Raises TypeError or ValueError, which name
    `path`."""
    if isinstance(given, kind):
        return given
    known = _by_name(kind)
    if isinstance(given, Enum):
        raise TypeError(f"{path} is {_article(kind)} {kind.__name__}, not {type(given).__name__}.{given.name}")
    if not isinstance(given, str):
        raise TypeError(
            f"{path} is {_article(kind)} {kind.__name__} or its name, not {type(given).__name__}; "
            f"it is one of {listed(kind)}"
        )
    name = _plain(given)
    if name not in known:
        raise ValueError(f"{path}: {given!r} is not {_article(kind)} {kind.__name__}; it is one of {listed(kind)}")
    member: E = known[name]
    return member


def listed(kind: type[Enum]) -> str:
    """The names of all members, as strings: `cosine, dot`."""
    return ", ".join(member.name.lower() for member in kind)


def snake_case(name: str) -> str:
    """`propertyName` as `property_name`."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


@cache
def _by_name(kind: type[E]) -> Mapping[str, E]:
    # The contract's names are accepted too, with and without their prefix.
    prefix = snake_case(kind.__name__).upper() + "_"
    names = {_plain(str(member.value).removeprefix(prefix)): member for member in kind}
    names |= {_plain(str(member.value)): member for member in kind}
    names |= {_plain(name): member for name, member in kind.__members__.items()}
    return names | {_plain(name): kind[own] for name, own in _ALSO.get(kind.__name__, {}).items()}


def _plain(name: str) -> str:
    return re.sub(r"[\s_.\-]+", "", name).lower()


def _article(kind: type[Enum]) -> str:
    return "an" if kind.__name__[0] in "AEIOU" else "a"
