"""Bound queries: names are resolved to spaces, vectors are read and checked, and defaults are filled in.

stages.py makes them from queries, and plans are made from them. Ways to rank are equal if they rank alike, even if the
request wrote them differently.
"""

from dataclasses import dataclass, field

from planner.query import (
    FilterScope,
    PayloadSelector,
    ScoreMode,
    SearchAfter,
    VectorsSelector,
)
from planner.rank import Ranker
from planner.resolve import CheckedFilter
from planner.text import Highlighted
from storage.schema import Distance, PointId


@dataclass(frozen=True, slots=True)
class BoundRrf:
    """Reciprocal rank fusion, with a weight for each prefetch."""

    k: float
    weights: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class BoundDbsf:
    """Distribution-based score fusion, with a weight for each prefetch."""

    weights: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Diversity:
    """Picks, among the first `candidates` points, those that are also unlike each other. See Mmr."""

    space: str
    distance: Distance
    diversity: float
    candidates: int


@dataclass(frozen=True, slots=True)
class BoundLeaf:
    """Ranks points of the whole collection. `rank` None: in id order."""

    rank: Ranker | None


@dataclass(frozen=True, slots=True)
class BoundMerge:
    """Ranks the union of what other stages found. There is at least one."""

    rank: Ranker | BoundRrf | BoundDbsf
    prefetch: "tuple[BoundStage, ...]"


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundStage:
    """See Stage. `exclude` are points whose vectors the stage was given; it leaves them out. No value changes after
    this.

    `highlighted` is what to return of the matched texts, if the stage ranks by text.
    """

    ranked: BoundLeaf | BoundMerge
    exclude: tuple[PointId, ...]
    filter: CheckedFilter | None
    filter_scope: FilterScope
    score_threshold: float | None
    diversity: Diversity | None
    limit: int
    offset: int
    search_after: SearchAfter | None
    score_mode: ScoreMode
    highlighted: Highlighted | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundQuery:
    """A root stage, and what to return of its hits. `path` is where the request holds the query, for errors."""

    root: BoundStage
    payload: PayloadSelector | None
    vectors: VectorsSelector | None
    path: str = field(compare=False)
