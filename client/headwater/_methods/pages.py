"""Pages of one commit: how large they are, and how long a cursor keeps the commit. Sends nothing."""

from headwater._wire import unsigned
from headwater.errors import InvalidQueryError

PAGE_SIZE = 256
"""Points of a page of `scroll_all` and `query_all`, unless the caller sets `batch_size`."""
CURSOR_TTL = 300
"""Seconds that a cursor lives after its last use, unless the caller sets `cursor_ttl`."""


def cursor_seconds(cursor_ttl: int) -> int:
    """The seconds of a cursor. Raises InvalidQueryError when the number is negative or too large."""
    return unsigned(cursor_ttl, "cursor_ttl", InvalidQueryError) or 0
