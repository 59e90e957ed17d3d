"""How a query was, or would be, run: a tree of operators and where each hit came from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from headwater._display import html_table
from headwater.models._plan_picture import plan_picture
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
    """A plan. `str()` is its readable tree, and notebooks show a picture of it.

    `hits` and `microseconds` are there only when it was analysed. Equal requests that read the same `seq` and the same
    `generation` of indexes have equal answers.
    """

    root: ExplainNode
    text: str
    hits: tuple[HitExplanation, ...]
    analyzed: bool
    seq: int
    microseconds: int
    generation: int = 0

    def __str__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return plan_picture(self)


class AbsenceReason(Enum):
    """Why a stage does not pass a point on; of several reasons, the first in the order in which a stage works."""

    NOT_STORED = "ABSENCE_REASON_NOT_STORED"
    NO_VECTOR = "ABSENCE_REASON_NO_VECTOR"
    """It has no vector in the stage's space."""
    EXAMPLE = "ABSENCE_REASON_EXAMPLE"
    """It gave a vector to the query, and is left out for it."""
    FILTERED = "ABSENCE_REASON_FILTERED"
    NOT_RANKED = "ABSENCE_REASON_NOT_RANKED"
    """The stage does not rank such points, as an order does not that starts after them."""
    NOT_INDEXED = "ABSENCE_REASON_NOT_INDEXED"
    """No index covers its vector yet, and the stage has `indexed_only`."""
    NOT_FOUND_BY_INDEX = "ABSENCE_REASON_NOT_FOUND_BY_INDEX"
    """Its rank is within the limit, but the approximate index did not find it."""
    NOT_IN_PREFETCHES = "ABSENCE_REASON_NOT_IN_PREFETCHES"
    THRESHOLD = "ABSENCE_REASON_THRESHOLD"
    NOT_DIVERSE = "ABSENCE_REASON_NOT_DIVERSE"
    """It is among the candidates, but more diverse ones were picked."""
    BEYOND_LIMIT = "ABSENCE_REASON_BEYOND_LIMIT"
    BEFORE_OFFSET = "ABSENCE_REASON_BEFORE_OFFSET"
    # The same members by the names they first had.
    NotStored = NOT_STORED
    NoVector = NO_VECTOR
    Example = EXAMPLE
    Filtered = FILTERED
    NotRanked = NOT_RANKED
    NotIndexed = NOT_INDEXED
    NotFoundByIndex = NOT_FOUND_BY_INDEX
    NotInPrefetches = NOT_IN_PREFETCHES
    Threshold = THRESHOLD
    NotDiverse = NOT_DIVERSE
    BeyondLimit = BEYOND_LIMIT
    BeforeOffset = BEFORE_OFFSET


@dataclass(frozen=True, slots=True)
class FailedCondition:
    """A condition that a point fails: where the request holds it, as `filter.must[1]`, and what it says."""

    path: str
    condition: str


@dataclass(frozen=True, slots=True)
class StageOutcome:
    """What became of a point in one stage. `reason` None: the stage passes it on.

    `rank`, from 1, and `score` are those in the stage's list; of a point that is not passed on, in the list that the
    reason is about, exact; None when it has none. `candidates`: how many points that rank is among.
    """

    stage: str
    operator: str
    reason: AbsenceReason | None
    rank: int | None
    score: float | None
    candidates: int | None
    failed_conditions: tuple[FailedCondition, ...]
    text: str


@dataclass(frozen=True, slots=True)
class PointExplanation:
    """Why a point is, or is not, in the answer to a query. `str()` is the verdict and a line per stage.

    `reason` is that of the root stage, None when the point is returned. `stages`: root first, none when the point does
    not exist.
    """

    id: PointId
    exists: bool
    returned: bool
    reason: AbsenceReason | None
    stages: tuple[StageOutcome, ...]
    verdict: str
    text: str

    def __str__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return html_table(self.verdict, [_stage_row(outcome) for outcome in self.stages], 0)


def _stage_row(outcome: StageOutcome) -> dict[str, object]:
    return {
        "stage": outcome.stage,
        "operator": outcome.operator,
        "reason": "passes" if outcome.reason is None else outcome.reason.name,
        "rank": outcome.rank,
        "of": outcome.candidates,
        "score": outcome.score,
        "fails": "; ".join(f"{failed.path}: {failed.condition}" for failed in outcome.failed_conditions) or None,
    }
