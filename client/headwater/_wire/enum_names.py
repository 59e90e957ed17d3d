"""The contract's names of enum members, and a check that values are models."""

from enum import Enum
from typing import TypeVar

from headwater._plain import member_of

E = TypeVar("E", bound=Enum)
M = TypeVar("M")


def enum_name(kind: type[E], given: E | str | None) -> str | None:
    """The contract's name of a member, which may be given by name. Raises TypeError or ValueError."""
    return None if given is None else str(member_of(kind, given, kind.__name__).value)


def made(kind: type[M], given: object) -> M:
    """Returns the value if it is a model of this kind. Raises TypeError otherwise."""
    if not isinstance(given, kind):
        raise TypeError(f"{kind.__name__} is needed, not {type(given).__name__}")
    return given
