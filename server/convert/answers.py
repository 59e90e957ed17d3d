"""Answers: hits, points and explanations of the planner -> messages.

Replies are filled in place, because a message that is passed to the constructor of another is copied.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from headwater.v1 import common_pb2, points_pb2, query_pb2
from planner.engine import Hit, QueryAnswer
from planner.execute import Fetched
from planner.explain import ExplainNode, Explanation, HitExplanation
from server.convert.ids import point_id_message, set_point_id
from server.convert.text import highlight_message
from server.convert.vectors import set_vectors

if TYPE_CHECKING:
    from google.protobuf.internal.containers import RepeatedCompositeFieldContainer


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
