"""Explanations of points: planner types -> messages."""

from collections.abc import Mapping

from headwater.v1 import query_pb2
from planner.explain import AbsenceReason, PointExplanation, StageOutcome
from server.convert.ids import point_id_message

ABSENCE_REASONS: Mapping[AbsenceReason, query_pb2.AbsenceReason] = {
    AbsenceReason.NOT_STORED: query_pb2.ABSENCE_REASON_NOT_STORED,
    AbsenceReason.NO_VECTOR: query_pb2.ABSENCE_REASON_NO_VECTOR,
    AbsenceReason.EXAMPLE: query_pb2.ABSENCE_REASON_EXAMPLE,
    AbsenceReason.FILTERED: query_pb2.ABSENCE_REASON_FILTERED,
    AbsenceReason.NOT_RANKED: query_pb2.ABSENCE_REASON_NOT_RANKED,
    AbsenceReason.NOT_INDEXED: query_pb2.ABSENCE_REASON_NOT_INDEXED,
    AbsenceReason.NOT_FOUND_BY_INDEX: query_pb2.ABSENCE_REASON_NOT_FOUND_BY_INDEX,
    AbsenceReason.NOT_IN_PREFETCHES: query_pb2.ABSENCE_REASON_NOT_IN_PREFETCHES,
    AbsenceReason.THRESHOLD: query_pb2.ABSENCE_REASON_THRESHOLD,
    AbsenceReason.NOT_DIVERSE: query_pb2.ABSENCE_REASON_NOT_DIVERSE,
    AbsenceReason.BEYOND_LIMIT: query_pb2.ABSENCE_REASON_BEYOND_LIMIT,
    AbsenceReason.BEFORE_OFFSET: query_pb2.ABSENCE_REASON_BEFORE_OFFSET,
}


def point_explanation_message(point: PointExplanation) -> query_pb2.PointExplanation:
    """Why a point is in an answer, or is not."""
    return query_pb2.PointExplanation(
        id=point_id_message(point.id),
        exists=point.exists,
        returned=point.returned,
        reason=None if point.reason is None else ABSENCE_REASONS[point.reason],
        stages=map(_outcome_message, point.stages),
        verdict=point.verdict,
        text=point.text,
    )


def _outcome_message(outcome: StageOutcome) -> query_pb2.StageOutcome:
    absence, place = outcome.absence, outcome.place
    failed = () if absence is None else absence.failed
    return query_pb2.StageOutcome(
        stage=outcome.stage,
        operator=outcome.operator,
        reason=None if absence is None else ABSENCE_REASONS[absence.reason],
        rank=None if place is None else place.rank,
        score=None if place is None else place.score,
        candidates=None if place is None else place.candidates,
        failed_conditions=[query_pb2.FailedCondition(path=each.path, condition=each.condition) for each in failed],
        text=outcome.text,
    )
