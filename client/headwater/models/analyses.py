"""Groups, facets, aggregations and distance matrices, as a user asks for them and gets them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from headwater._display import PartList, Row, Table, counted, flat
from headwater.models.explanation import Explanation
from headwater.models.points import PointId, Record, ScoredPoint, WithPayload, WithVectors

FieldScalar = str | int | float | bool
"""A value of a field that points can be grouped by. A double that is a 64-bit integer comes back as that integer."""


@dataclass(frozen=True, slots=True)
class WithLookup:
    """Looks up a point for each group: the point of `collection` that has the group's value as its id."""

    collection: str
    with_payload: WithPayload = True
    with_vectors: WithVectors = False


@dataclass(frozen=True, slots=True)
class PointGroup:
    """The best points with one value of a field, best first. `lookup`: the point that was looked up, if any."""

    value: FieldScalar
    points: list[ScoredPoint]
    lookup: Record | None = None


class Groups(Table, PartList[PointGroup]):
    """Groups in the order of their best points. `seq` is the sequence number of the commit that was read."""

    __slots__ = ("explanation", "seq")

    def __init__(self, groups: Sequence[PointGroup], *, seq: int = 0, explanation: Explanation | None = None) -> None:
        super().__init__(groups)
        self.seq = seq
        self.explanation = explanation

    def _title(self) -> str:
        return counted(len(self), "group", seq=self.seq)

    def _items(self) -> Sequence[PointGroup]:
        return self

    def _row(self, item: PointGroup) -> Row:
        lookup = {} if item.lookup is None else {"lookup": item.lookup.row()}
        return {"value": item.value, "points": [point.row() for point in item.points], **lookup}

    def _flat(self, item: PointGroup) -> Iterator[Row]:
        for point in item.points:
            yield flat({"group": item.value, **point.row()})


@dataclass(frozen=True, slots=True)
class FacetHit:
    """A value of a field, and how many points have it."""

    value: FieldScalar
    count: int


class Facets(Table, PartList[FacetHit]):
    """Values of a field, the most frequent first. `value_count`: the number of all values; `seq`: the commit that was
    read."""

    __slots__ = ("seq", "value_count")

    def __init__(self, hits: Sequence[FacetHit], *, value_count: int = 0, seq: int = 0) -> None:
        super().__init__(hits)
        self.value_count = value_count
        self.seq = seq

    def _title(self) -> str:
        return counted(len(self), "value", self.value_count, self.seq)

    def _items(self) -> Sequence[FacetHit]:
        return self

    def _row(self, item: FacetHit) -> Row:
        return {"value": item.value, "count": item.count}


class AggregationKind(Enum):
    """What an aggregation computes from the values of a field."""

    COUNT = "AGGREGATION_KIND_COUNT"
    """How many strings, numbers and bools there are; without a path: how many points."""
    SUM = "AGGREGATION_KIND_SUM"
    MIN = "AGGREGATION_KIND_MIN"
    """The least number; without numbers the first string."""
    MAX = "AGGREGATION_KIND_MAX"
    """The last string; without strings the greatest number."""
    AVG = "AGGREGATION_KIND_AVG"
    COUNT_DISTINCT = "AGGREGATION_KIND_COUNT_DISTINCT"
    """How many different strings, numbers and bools there are."""
    # The earlier names of the members.
    Count = COUNT
    Sum = SUM
    Min = MIN
    Max = MAX
    Avg = AVG
    CountDistinct = COUNT_DISTINCT


@dataclass(frozen=True, slots=True)
class Aggregation:
    """One aggregation of `points.aggregate`. The class methods make one: `Aggregation.sum("price")`."""

    kind: AggregationKind
    path: str | None = None

    @classmethod
    def count(cls, path: str | None = None) -> "Aggregation":
        """Counts the values at `path`; without `path`, the points."""
        return cls(AggregationKind.COUNT, path)

    @classmethod
    def sum(cls, path: str) -> "Aggregation":
        """The sum of the numbers at `path`. It is exact for integers; with doubles it is rounded once."""
        return cls(AggregationKind.SUM, path)

    @classmethod
    def min(cls, path: str) -> "Aggregation":
        """The least number at `path`; without numbers the first string."""
        return cls(AggregationKind.MIN, path)

    @classmethod
    def max(cls, path: str) -> "Aggregation":
        """The last string at `path`; without strings the greatest number."""
        return cls(AggregationKind.MAX, path)

    @classmethod
    def avg(cls, path: str) -> "Aggregation":
        """The mean of the numbers at `path`."""
        return cls(AggregationKind.AVG, path)

    @classmethod
    def count_distinct(cls, path: str) -> "Aggregation":
        """How many different values there are at `path`."""
        return cls(AggregationKind.COUNT_DISTINCT, path)


AggregationLike = Aggregation | str | tuple[str, str] | Mapping[str, Any]
"""An aggregation, `"count"`, or the name of one and a path: `("sum", "price")`."""


@dataclass(frozen=True, slots=True)
class AggregateGroup:
    """One group: its value (None without `group_by`), its number of points, and the results by their given names.

    A result is None when there is no value to compute it from.
    """

    value: FieldScalar | None
    count: int
    results: Mapping[str, FieldScalar | None]

    def __getitem__(self, name: str) -> FieldScalar | None:
        return self.results[name]


class Aggregates(Table, PartList[AggregateGroup]):
    """Groups in the order of their values. `group_count`: the number of all groups; `seq`: the commit that was read."""

    __slots__ = ("group_count", "seq")

    def __init__(self, groups: Sequence[AggregateGroup], *, group_count: int = 0, seq: int = 0) -> None:
        super().__init__(groups)
        self.group_count = group_count
        self.seq = seq

    def _title(self) -> str:
        return counted(len(self), "group", self.group_count, self.seq)

    def _items(self) -> Sequence[AggregateGroup]:
        return self

    def _row(self, item: AggregateGroup) -> Row:
        return {"value": item.value, "count": item.count, "results": item.results}


@dataclass(frozen=True, slots=True)
class MatrixPair:
    """A point of the sample, one of the points nearest to it, and their score."""

    a: PointId
    b: PointId
    score: float


class MatrixPairs(Table, PartList[MatrixPair]):
    """Pairs of a distance matrix. Points of the sample come in id order; each has its nearest points, best first."""

    __slots__ = ("seq",)

    def __init__(self, pairs: Sequence[MatrixPair], *, seq: int = 0) -> None:
        super().__init__(pairs)
        self.seq = seq

    def _title(self) -> str:
        return counted(len(self), "pair", seq=self.seq)

    def _items(self) -> Sequence[MatrixPair]:
        return self

    def _row(self, item: MatrixPair) -> Row:
        return {"a": item.a, "b": item.b, "score": item.score}


@dataclass(frozen=True, slots=True)
class MatrixOffsets:
    """A sparse distance matrix: `scores[i]` is the score of `ids[offsets_col[i]]` for `ids[offsets_row[i]]`."""

    ids: list[PointId]
    offsets_row: list[int]
    offsets_col: list[int]
    scores: list[float]
    seq: int = 0
