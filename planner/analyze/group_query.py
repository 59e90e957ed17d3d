"""A query, the field that groups its points, and how many points each group has: as asked, and bound.

groups.py answers it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from planner.bind import DEFAULT_LIMIT, BoundQuery
from planner.errors import InvalidLimit, InvalidQuery
from planner.limits import MAX_LIMIT
from planner.predicate import check_path
from planner.query import PayloadSelector, Query, VectorsSelector
from planner.resolve import check_selectors
from storage.mvcc import Snapshot

DEFAULT_GROUP_SIZE = 3
"""Points of a group by default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupLookup:
    """A collection in which the groups' values are ids. The point with that id is returned with its group."""

    collection: str
    with_payload: PayloadSelector | None = field(default_factory=PayloadSelector)
    with_vectors: VectorsSelector | None = None
    path: str = "lookup"


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupQuery:
    """Groups of the points that `query` ranks, by the values at `path`. The root's limit and offset count groups.

    `size` is the number of points of a group. Errors name the fields `path_field` and `size_field`.
    """

    query: Query
    path: str
    size: int = DEFAULT_GROUP_SIZE
    lookup: GroupLookup | None = None
    path_field: str = "group_by"
    size_field: str = "group_size"

    @property
    def limit(self) -> int:
        """How many groups to return."""
        return DEFAULT_LIMIT if self.query.root.limit is None else self.query.root.limit


@dataclass(frozen=True, slots=True)
class BoundLookup:
    """A GroupLookup whose collection was found: its snapshot, and what to return of its points."""

    reader: Snapshot
    payload: PayloadSelector | None
    vectors: VectorsSelector | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundGroups:
    """A GroupQuery that was checked. The root of `query` ranks as many points as all groups together may have.

    `limit` and `offset` count groups to return and to skip. `size` is the number of points of a group.
    """

    query: BoundQuery
    path: str
    size: int
    limit: int
    offset: int
    explain: bool
    lookup: BoundLookup | None

    @property
    def wanted(self) -> int:
        """How many groups to find: those to return and those to skip."""
        return self.limit + self.offset


def bind_groups(
    asked: GroupQuery,
    bind_query: Callable[[Query], BoundQuery],
    reader_of: Callable[[str], Snapshot],
) -> BoundGroups:
    """Checks and binds the query. `bind_query` binds in the collection; `reader_of` gives the snapshot of one by name.

    Raises InvalidQuery, InvalidLimit, CollectionNotFound, and what selectors and `bind_query` raise.
    """
    _check_counts(asked)
    lookup = None if asked.lookup is None else _bind_lookup(asked.lookup, reader_of)
    root, offset = asked.query.root, asked.query.root.offset
    ranking = replace(root, limit=asked.limit * asked.size, offset=offset * asked.size)
    return BoundGroups(
        query=bind_query(replace(asked.query, root=ranking)),
        path=asked.path,
        size=asked.size,
        limit=asked.limit,
        offset=offset,
        explain=asked.query.explain,
        lookup=lookup,
    )


def _bind_lookup(asked: GroupLookup, reader_of: Callable[[str], Snapshot]) -> BoundLookup:
    reader = reader_of(asked.collection)
    check_selectors(asked.with_payload, asked.with_vectors, reader.schema, asked.path)
    return BoundLookup(reader, asked.with_payload, asked.with_vectors)


def _check_counts(asked: GroupQuery) -> None:
    """Raises InvalidQuery or InvalidLimit. The query itself is checked in bind/stages.py."""
    check_path(asked.path, asked.path_field)
    path = f"{asked.query.path}." if asked.query.path else ""
    if asked.query.root.search_after is not None:
        raise InvalidQuery(f"{path}search_after", "groups go on by offset")
    for name, number, least in (
        (f"{path}limit", asked.limit, 1),
        (asked.size_field, asked.size, 1),
        (f"{path}offset", asked.query.root.offset, 0),
    ):
        if number < least:
            raise InvalidLimit(name, f"{number:,} is less than {least}", limit="MAX_LIMIT", maximum=MAX_LIMIT)
    points = (asked.limit + asked.query.root.offset) * asked.size
    if points > MAX_LIMIT:
        what = f"(limit + offset) * group_size is {points:,}, more than MAX_LIMIT allows ({MAX_LIMIT:,})"
        raise InvalidLimit(f"{path}limit", what, limit="MAX_LIMIT", maximum=MAX_LIMIT, actual=points)
