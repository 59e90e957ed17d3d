"""Depths of searches that do not change from page to page, so that all pages show one ranking. It ranks nothing.

The first page of an approximate search is as wide as its settings say. Later pages look further down, and all of them
equally far. So each page goes on where the one before it ended.
"""

from planner.limits import MAX_LIMIT

DEFAULT_DEPTH = 100
"""Points that a prefetch passes on by default.

It does not depend on the root's limit and offset, so all pages of the root show one ranking.
"""

PAGE_REACHES = (1_000, 2 * MAX_LIMIT)
"""Rows that an approximate search looks for when it answers a page after the first."""

MIN_REACH_FACTOR = 2
"""A later page looks for at least this many times the rows up to its last one.

An index misses more of the last rows that it looks for than of the first.
"""


def page_reach(limit: int, offset: int) -> int:
    """How many rows an approximate search looks for: `limit` on the first page, one of PAGE_REACHES on later pages."""
    if offset == 0:
        return limit
    return next(reach for reach in PAGE_REACHES if reach >= MIN_REACH_FACTOR * (limit + offset))
