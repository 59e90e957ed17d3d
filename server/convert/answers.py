"""Answers: hits, points and explanations of the planner -> messages.

Replies are filled in place, because a message that is passed to the constructor of another is copied.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from headwater.v1 import common_pb2, points_pb2, query_pb2
from planner.engine import Hit, HitColumns, QueryAnswer
from planner.execute import Fetched, FetchedColumns
from planner.explain import ExplainNode, Explanation, HitExplanation
from server.convert.ids import point_id_message, set_point_id
from server.convert.text import highlight_message
from server.convert.vectors import set_vectors
from server.wire import AnswerColumns, write_answers, write_points

if TYPE_CHECKING:
    from google.protobuf.internal.containers import RepeatedCompositeFieldContainer


def reply_of(response: Any, answers: Sequence[QueryAnswer]) -> bytes:
    """The reply with these answers, as it is sent. `response` has everything but its answers, in `result` or `results`.

    It has the bytes of deterministic serialization, whether or not messages are made of the answers.
    """
    by_name = response.DESCRIPTOR.fields_by_name
    field = by_name["results"] if "results" in by_name else by_name["result"]
    columns = _columns_of(answers)
    written = None if columns is None else write_answers(columns, field.number)
    if written is not None:
        return written + bytes(response.SerializeToString(deterministic=True))  # the answers are the first field
    for answer in answers:
        fill_result(response.results.add() if field.name == "results" else response.result, answer)
    return bytes(response.SerializeToString(deterministic=True))


def _columns_of(answers: Sequence[QueryAnswer]) -> AnswerColumns | None:
    """The answers as columns; None when they have more than ids, scores and whole payloads."""
    hits = [answer.hits for answer in answers]
    tables = {id(each.table) if isinstance(each, HitColumns) else 0 for each in hits}
    if len(tables) != 1 or 0 in tables or any(answer.explanation is not None for answer in answers):
        return None
    columns = [each for each in hits if isinstance(each, HitColumns)]
    table = columns[0].table
    return AnswerColumns(
        ends=[each.end for each in columns],
        totals=[-1 if answer.total is None else answer.total for answer in answers],
        seq=answers[0].seq,
        points=table.points,
        scores=table.scores,
        with_payloads=table.has_payloads,
    )


def fill_result(target: points_pb2.QueryResult, answer: QueryAnswer) -> None:
    """Sets `target` to the answer to one query."""
    target.seq = answer.seq
    if answer.total is not None:
        target.total = answer.total
    for hit in answer.hits:
        fill_hit(target.points.add(), hit)
    if answer.explanation is not None:
        target.explanation.CopyFrom(explanation_message(answer.explanation))


def fill_hit(point: common_pb2.ScoredPoint, hit: Hit) -> None:
    """Sets a message to a ranked point."""
    point.score = hit.score
    fill_point(point, hit)
    if hit.highlights:
        point.highlights.extend(map(highlight_message, hit.highlights))


def points_reply_of(
    response: points_pb2.PointsGetResponse | points_pb2.PointsScrollResponse, points: Sequence[Fetched]
) -> bytes:
    """The reply with these points, as it is sent, likewise. `response` has everything else."""
    if isinstance(points, FetchedColumns):
        field = response.POINTS_FIELD_NUMBER
        written = write_points(points.columns, field, with_payloads=points.has_payloads)
        if written is not None:
            return written + response.SerializeToString(deterministic=True)  # the points are the first field
    fill_points(response.points, points)
    return response.SerializeToString(deterministic=True)


def fill_points(
    target: "RepeatedCompositeFieldContainer[common_pb2.RetrievedPoint]", points: Iterable[Fetched]
) -> None:
    """Adds points that were read to a reply's list."""
    for point in points:
        fill_point(target.add(), point)


def fill_point(target: common_pb2.ScoredPoint | common_pb2.RetrievedPoint, point: Hit | Fetched) -> None:
    """Sets `target` to a point, except for its score."""
    set_point_id(target.id, point.id)
    target.version = point.version
    if point.payload is not None:
        # the payload is stored in the form of the wire, so nothing is encoded again
        target.payload.MergeFromString(point.payload)
    if point.vectors:
        set_vectors(target.vectors, point.vectors)


def explanation_message(explanation: Explanation) -> query_pb2.Explanation:
    """How a query ran, or would run."""
    return query_pb2.Explanation(
        root=_node_message(explanation.root),
        text=explanation.text,
        hits=[_hit_message(hit) for hit in explanation.hits],
        analyzed=explanation.analyzed,
        seq=explanation.seq,
        generation=explanation.generation,
        microseconds=explanation.microseconds,
    )


def _node_message(node: ExplainNode) -> query_pb2.ExplainNode:
    return query_pb2.ExplainNode(
        operator=node.operator,
        stage=node.stage,
        attributes=node.attributes,
        strategy=node.strategy,
        reason=node.reason,
        estimated_rows=node.estimated_rows,
        rows_in=node.rows_in,
        rows_out=node.rows_out,
        distance_computations=node.distance_computations,
        microseconds=node.microseconds,
        children=[_node_message(child) for child in node.children],
    )


def _hit_message(hit: HitExplanation) -> query_pb2.HitExplanation:
    stages = [query_pb2.StageRank(stage=place.stage, rank=place.rank, score=place.score) for place in hit.stages]
    return query_pb2.HitExplanation(id=point_id_message(hit.id), stages=stages)
