"""What tested the conditions of a filter, for explanations: an index of the field, or the payloads."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from planner.query import PayloadCondition, describe_condition


class ServedBy(Enum):
    """What tested a condition."""

    DECLARED = "declared index"
    AUTOMATIC = "automatic index"
    PAYLOADS = "payloads"


@dataclass(frozen=True, slots=True)
class ConditionReport:
    """A condition, what tested it, and for how many points it holds: of all points, or of the `tested` ones.

    `points` None: they were not counted. `tested` None: all points were.
    """

    condition: PayloadCondition
    by: ServedBy
    points: int | None = None
    tested: int | None = None


def describe_reports(reports: Sequence[ConditionReport], is_absent: Callable[[str], bool] | None = None) -> str:
    """Such as `color = "red": declared index, 12 points; size > 3: payloads, 5 of 12 points`.

    `is_absent` tells whether no point has a field at a path. It is asked only if a condition holds for no point: its
    path may be misspelt.
    """
    return "; ".join(_describe(report) + _absence(report, is_absent) for report in dict.fromkeys(reports))


def _absence(report: ConditionReport, is_absent: Callable[[str], bool] | None) -> str:
    if is_absent is None or report.points != 0 or not is_absent(report.condition.path):
        return ""
    hint = "; the id of a point is $id" if report.condition.path == "id" else ""
    return f" (no point has a field {report.condition.path!r}{hint})"


def by_payloads(conditions: Iterable[PayloadCondition]) -> list[ConditionReport]:
    """Reports of conditions that are tested point by point, until enough points are found."""
    return [ConditionReport(condition, ServedBy.PAYLOADS) for condition in conditions]


def _describe(report: ConditionReport) -> str:
    text = f"{describe_condition(report.condition)}: {report.by.value}"
    if report.points is None:
        return text
    of = "" if report.tested is None else f" of {report.tested:,}"
    return f"{text}, {report.points:,}{of} points"
