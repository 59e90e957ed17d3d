"""What can be wrong with a query: the planner's own leaves of the tree in storage/errors.py.

InvalidRequest
├── InvalidQuery      the tree of stages has no meaning
├── InvalidFilter     the filter has no meaning
├── InvalidLimit      a limit is 0, or is larger than its bound
└── AmbiguousSpace    `using` is needed, since there are several spaces

WrongState
└── NoTextIndex       a query by BM25 names a field without a text index

Exhausted
└── PatternTooCostly  matching an expression on a stored text would take too long
"""

from collections.abc import Iterable

from storage.errors import Exhausted, InvalidRequest, WrongState


class InvalidQuery(InvalidRequest):
    """A tree of stages that has no meaning."""


class InvalidFilter(InvalidRequest):
    """A filter that has no meaning."""


class InvalidLimit(InvalidRequest):
    """A limit is 0, or limit and offset together are larger than their bound. The text names the bound."""


class AmbiguousSpace(InvalidRequest):
    """The request names no space, and the collection has several or none."""

    def __init__(self, field: str, spaces: Iterable[str]) -> None:
        known = ", ".join(repr(space) for space in sorted(spaces)) or "none"
        super().__init__(field, f"name a vector space, since none is unnamed (there are: {known})", spaces=known)


class NoTextIndex(WrongState):
    """A query by BM25 names a field that has no text index. `path` None: no field has one."""

    def __init__(self, field: str, path: str | None, indexes: Iterable[str]) -> None:
        known = ", ".join(repr(index) for index in sorted(indexes)) or "none"
        what = "no field has a text index" if path is None else f"{path!r} has no text index (there are: {known})"
        message = f"{field}: {what}; Points.CreateTextIndex makes one"
        super().__init__(message, path=path or "", text_indexes=known, field=field)


class PatternTooCostly(Exhausted):
    """A pattern and a stored text together are too large to be matched in one step.

    `size` counts the steps of the pattern's program, `length` the bytes of the text. `maximum` bounds their product.
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
