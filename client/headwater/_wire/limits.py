"""Refuses requests that cannot be sent at all, with the server's error. The server itself has all other limits."""

from typing import TypeVar

from headwater.errors import FieldViolation, InvalidArgumentError, InvalidLimitError, LimitExceededError

MAX_DEPTH = 32
"""Nested stages, filters, or objects and lists. An object takes 3 of the 100 levels that protobuf parsers follow."""

E = TypeVar("E", bound=InvalidArgumentError)


def refused(kind: type[E], path: str, description: str, **metadata: object) -> E:
    """Makes an error of this class that names the field."""
    facts = {key: str(value) for key, value in metadata.items()}
    return kind(f"{path}: {description}", metadata=facts, field_violations=[FieldViolation(path, description)])


def check_depth(depth: int, path: str) -> None:
    """`depth` counts from 1. Raises LimitExceededError."""
    if depth > MAX_DEPTH:
        description = f"it is nested deeper than {MAX_DEPTH} levels"
        raise refused(LimitExceededError, path, description, limit="MAX_DEPTH", maximum=MAX_DEPTH, actual=depth)


def unsigned(
    number: int | None, path: str, kind: type[InvalidArgumentError] = InvalidLimitError, *, bits: int = 32
) -> int | None:
    """Returns the number. Raises an error of the given class unless it is unsigned and fits in this many bits."""
    if number is not None and not 0 <= number < 2**bits:
        raise refused(kind, path, f"{number:,} is not between 0 and 2^{bits} - 1")
    return number
