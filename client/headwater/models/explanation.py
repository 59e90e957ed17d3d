"""How a query was, or would be, run: a tree of operators and where each hit came from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from headwater.models.points import PointId


@dataclass(frozen=True, slots=True)
class ExplainNode:
    """One operator of a plan. Numbers are None when they are not known; only estimates are, unless it was analysed.

    `stage` is the part of the request it belongs to: `root`, `root.prefetch[0]`. `microseconds` leave out the children.
    """

    operator: str
    stage: str
    attributes: Mapping[str, str]
    strategy: str
    reason: str
    estimated_rows: int | None
    rows_in: int | None
    rows_out: int | None
    distance_computations: int | None
    microseconds: int | None
    children: "tuple[ExplainNode, ...]"

    def __iter__(self) -> "Iterator[ExplainNode]":
        """This operator and all below it, parents first."""
        yield self
        for child in self.children:
            yield from child


@dataclass(frozen=True, slots=True)
class StageRank:
    """A point's place in the list of one stage; ranks count from 1."""

    stage: str
    rank: int
    score: float


@dataclass(frozen=True, slots=True)
class HitExplanation:
    """A returned point and its place in every stage's list that holds it, root first."""

    id: PointId
    stages: tuple[StageRank, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A plan. `str()` is its readable tree. `hits` and `microseconds` are there only when it was analysed."""

    root: ExplainNode
    text: str
    hits: tuple[HitExplanation, ...]
    analyzed: bool
    seq: int
    microseconds: int

    def __str__(self) -> str:
        return self.text
