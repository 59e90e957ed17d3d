"""Names of enum members in the contract, and a check that values are models."""

from enum import Enum
from typing import TypeVar

from headwater._plain import member_of

E = TypeVar("E", bound=Enum)
M = TypeVar("M")


def enum_name(kind: type[E], given: E | str | None) -> str | None:
    """The name in the contract of a member or of its name. Raises TypeError or ValueError."""
    return None if given is None else str(member_of(kind, given, kind.__name__).value)


def made(kind: type[M], given: object) -> M:
    """The value, when it is a model of this kind. Raises TypeError otherwise."""
    if not isinstance(given, kind):
        raise TypeError(f"{kind.__name__} is needed, not {type(given).__name__}")
    return given
