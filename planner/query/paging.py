"""What makes the pages of one request parts of one ranking: depths that no page changes. It ranks nothing.

The first page of an approximate search is as wide as its settings say. Later pages look further down, and all of them
equally far, so that one page goes on where the one before it ended.
"""

from planner.limits import MAX_LIMIT

DEFAULT_DEPTH = 100
"""Points a prefetch passes on unless it says otherwise: whatever the root's limit and offset are, so that its pages are
parts of one ranking."""

PAGE_REACHES = (1_000, 2 * MAX_LIMIT)
"""Rows that an approximate search looks for when it answers a page after the first."""

MARGIN = 2
"""How many times as far as its last row a later page looks at least: an index misses more of the last rows that it
looks for than of the first."""


def page_reach(limit: int, offset: int) -> int:
    """Rows that an approximate search of the page looks for: `limit` for the first, one of PAGE_REACHES for others."""
    if offset == 0:
        return limit
    return next(reach for reach in PAGE_REACHES if reach >= MARGIN * (limit + offset))
