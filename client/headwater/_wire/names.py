"""Names of enum members as users write them, to the names of the contract."""

from enum import Enum
from typing import TypeVar

E = TypeVar("E", bound=Enum)


def enum_name(kind: type[E], prefix: str, given: E | str | None) -> str | None:
    """The name on the wire of a member, or of its name in lower case. Raises ValueError."""
    if given is None:
        return None
    names = {str(member.value).removeprefix(f"{prefix}_").lower(): str(member.value) for member in kind}
    if isinstance(given, kind):
        return str(given.value)
    if given not in names:
        raise ValueError(f"{given!r} is no {kind.__name__}: it is one of {', '.join(names)}")
    return names[str(given)]
