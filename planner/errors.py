"""What can be wrong with a query: the planner's own leaves of the tree in storage/errors.py.

InvalidRequest
├── InvalidQuery      a tree of stages that cannot be
├── InvalidFilter     a filter that cannot be
├── InvalidLimit      a limit of 0, or one beyond its bound
└── AmbiguousSpace    `using` is needed, since there are several spaces

WrongState
└── NoTextIndex       a query by BM25 names a field without a text index

Exhausted
└── PatternTooCostly  an expression would take too long to match on a text that is stored
"""

from collections.abc import Iterable

from storage.errors import Exhausted, InvalidRequest, WrongState


class InvalidQuery(InvalidRequest):
    """A tree of stages that has no meaning."""


class InvalidFilter(InvalidRequest):
    """A filter that has no meaning."""


class InvalidLimit(InvalidRequest):
    """A limit of 0, or a limit and offset that together exceed their bound, which the text names."""


class AmbiguousSpace(InvalidRequest):
    """No space is named, and the collection has several or none."""

    def __init__(self, field: str, spaces: Iterable[str]) -> None:
        known = ", ".join(repr(space) for space in sorted(spaces)) or "none"
        super().__init__(field, f"name a vector space; there is no unnamed one (there are: {known})", spaces=known)


class NoTextIndex(WrongState):
    """A query by BM25 names a field that has no text index, or (`path` None) no field has one."""

    def __init__(self, field: str, path: str | None, indexes: Iterable[str]) -> None:
        known = ", ".join(repr(index) for index in sorted(indexes)) or "none"
        what = "no field has a text index" if path is None else f"{path!r} has no text index (there are: {known})"
        message = f"{field}: {what}; Points.CreateTextIndex makes one"
        super().__init__(message, path=path or "", text_indexes=known, field=field)


class PatternTooCostly(Exhausted):
    """A pattern and a stored text together are too large to be matched in one step.

    `size`: steps of the pattern's program; `length`: bytes of the text; their product is what is bounded.
    """

    def __init__(self, pattern: str, *, size: int, length: int, maximum: int, path: str = "") -> None:
        where = f"the condition on {path!r}: " if path else ""
        shown = pattern if len(pattern) <= 100 else f"{pattern[:100]}…"
        super().__init__(
            f"{where}the pattern {shown!r} has {size:,} steps and a text {length:,} bytes; "
            f"MAX_MATCH_STEPS allows {maximum:,} as their product",
            path=path,
            pattern=shown,
            size=size,
            length=length,
            maximum=maximum,
        )
