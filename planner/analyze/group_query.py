"""What was asked of groups: a query, the field that groups its points, and how many of each. groups.py answers."""

from dataclasses import dataclass, field, replace

from planner.bind import DEFAULT_LIMIT
from planner.errors import InvalidLimit, InvalidQuery
from planner.limits import MAX_LIMIT
from planner.predicate import check_path
from planner.query import PayloadSelector, Query, VectorsSelector

DEFAULT_GROUP_SIZE = 3
"""Points of a group unless a query says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupLookup:
    """A collection whose points' ids are the groups' values; the point of each group is returned with it."""

    collection: str
    with_payload: PayloadSelector | None = field(default_factory=PayloadSelector)
    with_vectors: VectorsSelector | None = None
    path: str = "lookup"


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupQuery:
    """Groups of the points that `query` ranks, by the values at `path`. Its root's limit and offset count groups.

    `size`: points of a group. Errors name `path_field` and `size_field`.
    """

    query: Query
    path: str
    size: int = DEFAULT_GROUP_SIZE
    lookup: GroupLookup | None = None
    path_field: str = "group_by"
    size_field: str = "group_size"

    @property
    def limit(self) -> int:
        """Groups to return."""
        return DEFAULT_LIMIT if self.query.root.limit is None else self.query.root.limit

    @property
    def wanted(self) -> int:
        """Groups to find: those to return and those to skip."""
        return self.limit + self.query.root.offset

    @property
    def ranking_query(self) -> Query:
        """The query whose root is to rank as many points as all groups may have."""
        root = replace(self.query.root, limit=self.limit * self.size, offset=self.query.root.offset * self.size)
        return replace(self.query, root=root)


def check_groups(asked: GroupQuery) -> None:
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
    points = asked.wanted * asked.size
    if points > MAX_LIMIT:
        what = f"(limit + offset) * group_size is {points:,}, more than MAX_LIMIT allows ({MAX_LIMIT:,})"
        raise InvalidLimit(f"{path}limit", what, limit="MAX_LIMIT", maximum=MAX_LIMIT, actual=points)
