"""Members of enums, or their names as users write them, to the names of the contract; and models that are made."""

from enum import Enum
from typing import TypeVar

from headwater._plain import member_of

E = TypeVar("E", bound=Enum)
M = TypeVar("M")


def enum_name(kind: type[E], given: E | str | None) -> str | None:
    """The name on the wire of a member, or of its name. Raises TypeError or ValueError."""
    return None if given is None else str(member_of(kind, given, kind.__name__).value)


def made(kind: type[M], given: object) -> M:
    """The model, which the public methods have made of a dict. Raises TypeError for what is none."""
    if not isinstance(given, kind):
        raise TypeError(f"{kind.__name__} is needed, not {type(given).__name__}")
    return given
