"""Adds a hint to errors when a query was a plain string and so was taken for the id of a point. Sends nothing."""

from collections.abc import Mapping
from typing import Any

from headwater.errors import HeadwaterError, PointNotFoundError
from headwater.models import Fusion


def explained(error: PointNotFoundError, arguments: Mapping[str, Any]) -> HeadwaterError:
    """The error. It gets a hint when it is about a string that was given as a query."""
    for name in ("query", "vector"):
        given = arguments.get(name)
        if isinstance(given, str) and repr(given) in error.message:
            return type(error)(
                f"{error.message}; {name} is a string, so it was taken for the id of a point: {_hint(given)}",
                code=error.code,
                reason=error.reason,
                metadata=error.metadata,
                field_violations=error.field_violations,
            )
    return error


def _hint(given: str) -> str:
    if given.lower() in [fusion.value for fusion in Fusion]:
        return f"a fusion, Fusion.{given.upper()}, needs prefetches"
    return f"Text({given!r}) searches by a text, Bm25({given!r}) ranks by its words"
