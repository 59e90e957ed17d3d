"""Explanations of queries: the tree of operators that runs, and the stages that each hit came from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from headwater._display import html_table
from headwater.models._plan_picture import plan_picture
from headwater.models.points import PointId


@dataclass(frozen=True, slots=True)
class ExplainNode:
    """One operator of a plan. Numbers are None when they are not known. Only an analysed plan has more than estimates.

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
    """The rank of a point in the list of one stage, counted from 1."""

    stage: str
    rank: int
    score: float


@dataclass(frozen=True, slots=True)
class HitExplanation:
    """A returned point, and its rank in the list of each stage that holds it. The root comes first."""

    id: PointId
    stages: tuple[StageRank, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A plan. `str()` is its readable tree, and notebooks show a picture of it.

    Only an analysed plan has `hits` and `microseconds`. Equal requests that read the same `seq` and the same
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
    """The reason why a stage does not pass a point on. Of several reasons it is the one that the stage meets first."""

    NOT_STORED = "ABSENCE_REASON_NOT_STORED"
    NO_VECTOR = "ABSENCE_REASON_NO_VECTOR"
    """It has no vector in the stage's space."""
    EXAMPLE = "ABSENCE_REASON_EXAMPLE"
    """The query uses its vector, and therefore leaves it out."""
    FILTERED = "ABSENCE_REASON_FILTERED"
    NOT_RANKED = "ABSENCE_REASON_NOT_RANKED"
    """The stage does not rank such points. For instance, an order starts after them."""
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
    # The earlier names of the members.
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
    """A condition that a point fails. `path` is its place in the request, such as `filter.must[1]`."""

    path: str
    condition: str


@dataclass(frozen=True, slots=True)
class StageOutcome:
    """The result of one stage for a point. `reason` None: the stage passes it on.

    `rank`, counted from 1, and `score` are those in the list of the stage. For a point that is not passed on, they are
    exact, and belong to the list that the reason is about. They are None when it has none. `candidates`: how many
    points are ranked in that list.
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

    `reason` is that of the root stage; None when the point is returned. `stages` starts with the root, and is empty
    when the point does not exist.
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
