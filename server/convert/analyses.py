"""Groups, facets, aggregations and distance matrices: messages <-> planner types."""

from collections.abc import Mapping
from typing import TypeVar

from headwater.v1 import points_pb2 as wire
from headwater.v1.payload_pb2 import NULL_VALUE_UNSPECIFIED, Value
from planner.analyze import (
    DEFAULT_GROUP_SIZE,
    DEFAULT_NEIGHBOURS,
    DEFAULT_SAMPLE,
    AggregateKind,
    AggregateQuery,
    Aggregates,
    Aggregation,
    FacetQuery,
    Facets,
    GroupLookup,
    GroupQuery,
    Groups,
    Matrix,
    MatrixQuery,
)
from planner.bind import DEFAULT_LIMIT
from planner.limits import MAX_LIMIT
from planner.query import Filter, Scalar
from server.convert.answers import explanation_message, fill_point
from server.convert.field_paths import enum_value
from server.convert.filters import filter_of
from server.convert.ids import point_id_message
from server.convert.queries import query_of
from server.convert.selectors import payload_selector_of, vectors_selector_of
from server.convert.text import highlight_message
from storage.errors import InvalidRequest

AGGREGATION_KINDS: Mapping[int, AggregateKind] = {
    wire.AGGREGATION_KIND_COUNT: AggregateKind.COUNT,
    wire.AGGREGATION_KIND_SUM: AggregateKind.SUM,
    wire.AGGREGATION_KIND_MIN: AggregateKind.MIN,
    wire.AGGREGATION_KIND_MAX: AggregateKind.MAX,
    wire.AGGREGATION_KIND_AVG: AggregateKind.AVG,
    wire.AGGREGATION_KIND_COUNT_DISTINCT: AggregateKind.COUNT_DISTINCT,
}

Filtered = (
    wire.PointsFacetRequest
    | wire.PointsAggregateRequest
    | wire.PointsSearchMatrixPairsRequest
    | wire.PointsSearchMatrixOffsetsRequest
)
MatrixRequest = TypeVar("MatrixRequest", wire.PointsSearchMatrixPairsRequest, wire.PointsSearchMatrixOffsetsRequest)


def group_query_of(request: wire.PointsQueryGroupsRequest) -> GroupQuery:
    """What is asked. Raises InvalidRequest, naming the field."""
    return GroupQuery(
        query=query_of(request.query, "query"),
        path=request.group_by,
        size=request.group_size if request.HasField("group_size") else DEFAULT_GROUP_SIZE,
        lookup=_lookup_of(request.with_lookup) if request.HasField("with_lookup") else None,
    )


def _lookup_of(message: wire.GroupLookup) -> GroupLookup:
    return GroupLookup(
        collection=message.collection_name,
        with_payload=payload_selector_of(message, "with_lookup"),
        with_vectors=vectors_selector_of(message, "with_lookup"),
        path="with_lookup",
    )


def fill_groups(target: wire.PointsQueryGroupsResponse, answer: Groups) -> None:
    """Sets `target` to the answer."""
    target.seq = answer.seq
    for group in answer.groups:
        message = target.groups.add()
        set_scalar(message.value, group.value)
        for point, score, parts in zip(group.points, group.scores, group.highlights, strict=True):
            hit = message.points.add()
            hit.score = score
            fill_point(hit, point)
            hit.highlights.extend(map(highlight_message, parts))
        if group.lookup is not None:
            fill_point(message.lookup, group.lookup)
    if answer.explanation is not None:
        target.explanation.CopyFrom(explanation_message(answer.explanation))


def facet_query_of(request: wire.PointsFacetRequest) -> FacetQuery:
    """What is asked. Raises InvalidRequest, naming the field."""
    limit = request.limit if request.HasField("limit") else DEFAULT_LIMIT
    return FacetQuery(path=request.key, filter=_filter_of(request), limit=limit)


def fill_facets(target: wire.PointsFacetResponse, answer: Facets) -> None:
    """Sets `target` to the answer."""
    target.seq = answer.seq
    target.value_count = answer.value_count
    for each in answer.counts:
        hit = target.hits.add(count=each.count)
        set_scalar(hit.value, each.value)


def aggregate_query_of(request: wire.PointsAggregateRequest) -> AggregateQuery:
    """What is asked. Raises InvalidRequest, naming the field."""
    return AggregateQuery(
        aggregations=tuple(
            _aggregation_of(message, f"aggregations[{number}]") for number, message in enumerate(request.aggregations)
        ),
        group_by=request.group_by if request.HasField("group_by") else None,
        filter=_filter_of(request),
        limit=request.limit if request.HasField("limit") else MAX_LIMIT,
    )


def _aggregation_of(message: wire.Aggregation, path: str) -> Aggregation:
    if message.kind == wire.AGGREGATION_KIND_UNSPECIFIED:
        raise InvalidRequest(
            f"{path}.kind", f"nothing is set; set one of: {', '.join(kind.name for kind in AggregateKind)}"
        )
    kind = enum_value(AGGREGATION_KINDS, message.kind, f"{path}.kind")
    return Aggregation(kind, message.path if message.HasField("path") else None)


def fill_aggregates(target: wire.PointsAggregateResponse, answer: Aggregates) -> None:
    """Sets `target` to the answer."""
    target.seq = answer.seq
    target.group_count = answer.group_count
    for group in answer.groups:
        message = target.groups.add(count=group.count)
        if group.value is not None:
            set_scalar(message.value, group.value)
        for result in group.results:
            set_scalar(message.results.add(), result)


def matrix_query_of(request: MatrixRequest) -> MatrixQuery:
    """What is asked. Raises InvalidRequest, naming the field."""
    return MatrixQuery(
        using=request.using if request.HasField("using") else None,
        filter=_filter_of(request),
        sample=request.sample if request.HasField("sample") else DEFAULT_SAMPLE,
        limit=request.limit if request.HasField("limit") else DEFAULT_NEIGHBOURS,
        seed=request.seed if request.HasField("seed") else None,
    )


def fill_pairs(target: wire.PointsSearchMatrixPairsResponse, matrix: Matrix) -> None:
    """Sets `target` to the pairs of the matrix."""
    target.seq = matrix.seq
    ids = [point_id_message(point_id) for point_id in matrix.ids]
    for one, row in zip(ids, matrix.rows, strict=True):
        for position, score in zip(row.positions.tolist(), row.scores.tolist(), strict=True):
            target.pairs.add(a=one, b=ids[position], score=score)


def fill_offsets(target: wire.PointsSearchMatrixOffsetsResponse, matrix: Matrix) -> None:
    """Sets `target` to the matrix."""
    target.seq = matrix.seq
    target.ids.extend(point_id_message(point_id) for point_id in matrix.ids)
    for number, row in enumerate(matrix.rows):
        target.offsets_row.extend([number] * len(row.positions))
        target.offsets_col.extend(row.positions.tolist())
        target.scores.extend(row.scores.tolist())


def set_scalar(target: Value, value: Scalar | None) -> None:
    """Sets `target` to a scalar or null."""
    match value:
        case None:
            target.null_value = NULL_VALUE_UNSPECIFIED
        case bool():
            target.bool_value = value
        case int():
            target.integer_value = value
        case float():
            target.double_value = value
        case str():
            target.string_value = value


def _filter_of(request: Filtered) -> Filter | None:
    return filter_of(request.filter, "filter") if request.HasField("filter") else None
