"""Explanations of points from the contract to the client's models."""

from headwater._wire.values import id_of
from headwater.models import AbsenceReason, FailedCondition, PointExplanation, StageOutcome
from headwater.v1 import query_pb2


def point_explanation_of(message: query_pb2.PointExplanation) -> PointExplanation:
    return PointExplanation(
        id=id_of(message.id),
        exists=message.exists,
        returned=message.returned,
        reason=_reason_of(message.reason),
        stages=tuple(map(_outcome_of, message.stages)),
        verdict=message.verdict,
        text=message.text,
    )


def _outcome_of(message: query_pb2.StageOutcome) -> StageOutcome:
    return StageOutcome(
        stage=message.stage,
        operator=message.operator,
        reason=_reason_of(message.reason),
        rank=message.rank if message.HasField("rank") else None,
        score=message.score if message.HasField("score") else None,
        candidates=message.candidates if message.HasField("candidates") else None,
        failed_conditions=tuple(FailedCondition(each.path, each.condition) for each in message.failed_conditions),
        text=message.text,
    )


def _reason_of(value: query_pb2.AbsenceReason) -> AbsenceReason | None:
    if value == query_pb2.ABSENCE_REASON_UNSPECIFIED:
        return None
    return AbsenceReason(query_pb2.AbsenceReason.Name(value))
