"""Members of enums, or their names as users write them, to the names of the contract."""

from enum import Enum
from typing import TypeVar

from headwater._spelling import member_of

E = TypeVar("E", bound=Enum)


def enum_name(kind: type[E], given: E | str | None) -> str | None:
    """The name on the wire of a member, or of its name. Raises TypeError or ValueError."""
    return None if given is None else str(member_of(kind, given, kind.__name__).value)
