"""Why a point is in an answer, or is not: the reasons, and their texts. points.py finds them."""

from dataclasses import dataclass
from enum import Enum

from planner.rank import Place
from storage.schema import PointId


class AbsenceReason(Enum):
    """Why a stage does not pass a point on, in the order in which a stage works."""

    NOT_STORED = "not stored"
    NO_VECTOR = "no vector"
    EXAMPLE = "example"
    FILTERED = "filtered"
    NOT_RANKED = "not ranked"
    NOT_INDEXED = "not indexed"
    NOT_FOUND_BY_INDEX = "not found by the index"
    NOT_IN_PREFETCHES = "not in the prefetches"
    THRESHOLD = "threshold"
    NOT_DIVERSE = "not diverse"
    BEYOND_LIMIT = "beyond the limit"
    BEFORE_OFFSET = "before the offset"


@dataclass(frozen=True, slots=True)
class FailedCondition:
    """A condition that a point fails: where the request holds it (`filter.must[1]`), and what it says."""

    path: str
    condition: str


@dataclass(frozen=True, slots=True)
class Absence:
    """Why a node loses a point, in words, and the point's place before that, if it had one."""

    reason: AbsenceReason
    text: str
    place: Place | None = None
    failed: tuple[FailedCondition, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StageOutcome:
    """What happened to a point in one stage. `absence` None: the stage passes it on, at `place`."""

    stage: str
    operator: str
    place: Place | None
    absence: Absence | None

    @property
    def text(self) -> str:
        return str(self.place) if self.absence is None else self.absence.text


@dataclass(frozen=True, slots=True)
class PointExplanation:
    """What happened to a point in each stage, root first. Empty if the point is not stored."""

    id: PointId
    exists: bool
    stages: tuple[StageOutcome, ...]

    @property
    def returned(self) -> bool:
        return self.exists and self.stages[0].absence is None

    @property
    def reason(self) -> AbsenceReason | None:
        """Why the root does not pass the point on; None if it does."""
        if not self.exists:
            return AbsenceReason.NOT_STORED
        absence = self.stages[0].absence
        return None if absence is None else absence.reason

    @property
    def verdict(self) -> str:
        """The result in one sentence."""
        if not self.exists:
            return f"{self.id!r} is not in the answer: there is no such point."
        root = self.stages[0]
        if root.absence is None:
            return f"{self.id!r} is in the answer: {root.text}."
        return f"{self.id!r} is not in the answer: {'; '.join(self._causes('root', root.absence))}."

    @property
    def text(self) -> str:
        """The verdict, and below it one line per stage."""
        lines = [self.verdict]
        for outcome in self.stages:
            indent = "  " * outcome.stage.count(".prefetch[")
            state = "in the list" if outcome.absence is None else f"lost, {outcome.absence.reason.value}"
            lines.append(f"{indent}{outcome.stage} ({outcome.operator}): {state}: {outcome.text}")
        return "\n".join(lines)

    def _causes(self, stage: str, absence: Absence) -> list[str]:
        """Where the point was lost for `stage`: in the stage itself, or in each of its prefetches."""
        if absence.reason is not AbsenceReason.NOT_IN_PREFETCHES:
            return [f"{stage}: {absence.text}"]
        prefix = f"{stage}.prefetch["
        lost = [(each.stage, each.absence) for each in self.stages if each.stage.startswith(prefix)]
        return [
            cause
            for child, why in lost
            if why is not None and "." not in child.removeprefix(prefix)
            for cause in self._causes(child, why)
        ]
