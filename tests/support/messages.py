"""Short ways to write requests of the contract, also such as no client would make."""

from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf.message import Message

from headwater.v1 import common_pb2, filter_pb2, payload_pb2, points_pb2, query_pb2

Numbers = Sequence[float]


def vector(values: Numbers) -> common_pb2.Vector:
    return common_pb2.Vector(dense=common_pb2.DenseVector(values=values))


def point_id(given: int | str | None) -> common_pb2.PointId:
    """None: an id of which nothing is set."""
    if given is None:
        return common_pb2.PointId()
    return common_pb2.PointId(key=given) if isinstance(given, str) else common_pb2.PointId(number=given)


def point(
    given: int | str | None = 1,
    vectors: Mapping[str, Numbers] | None = None,
    payload: Mapping[str, payload_pb2.Value] | None = None,
) -> common_pb2.PointStruct:
    return common_pb2.PointStruct(
        id=point_id(given),
        vectors={space: vector(values) for space, values in (vectors or {}).items()},
        payload=None if payload is None else payload_pb2.Payload(fields=payload),
    )


def nearest(given: Numbers | int | str) -> query_pb2.Query:
    """Ranking by a vector, or by the vector of a stored point."""
    if isinstance(given, int | str):
        return query_pb2.Query(nearest=query_pb2.VectorInput(id=point_id(given)))
    return query_pb2.Query(nearest=query_pb2.VectorInput(vector=vector(given)))


def rrf(**settings: Any) -> query_pb2.Query:
    return query_pb2.Query(rrf=query_pb2.ReciprocalRankFusion(**settings))


def dbsf(**settings: Any) -> query_pb2.Query:
    return query_pb2.Query(dbsf=query_pb2.DistributionBasedScoreFusion(**settings))


def leaf(given: Numbers, using: str, **fields: Any) -> query_pb2.PrefetchQuery:
    return query_pb2.PrefetchQuery(query=nearest(given), using=using, **fields)


def chain(levels: int, given: Numbers, using: str) -> query_pb2.PrefetchQuery:
    """A stage with `levels` levels, each re-ranking the one below."""
    stage = leaf(given, using)
    for _ in range(levels - 1):
        stage = leaf(given, using, prefetch=[stage])
    return stage


def field(path: str, **predicate: Any) -> filter_pb2.Condition:
    return filter_pb2.Condition(field=filter_pb2.FieldCondition(path=path, **predicate))


def must(*conditions: filter_pb2.Condition) -> filter_pb2.Filter:
    return filter_pb2.Filter(must=conditions)


def nested_filters(levels: int) -> filter_pb2.Filter:
    found = filter_pb2.Filter()
    for _ in range(levels - 1):
        found = must(filter_pb2.Condition(filter=found))
    return found


def number(value: float) -> payload_pb2.Value:
    return payload_pb2.Value(double_value=value)


def text(value: str) -> payload_pb2.Value:
    return payload_pb2.Value(string_value=value)


def nested_payload(levels: int) -> dict[str, payload_pb2.Value]:
    """Fields of a payload of objects `levels` deep, the payload itself included."""
    fields = {"a": number(1)}
    for _ in range(levels - 1):
        fields = {"a": payload_pb2.Value(struct_value=payload_pb2.Payload(fields=fields))}
    return fields


def search(values: Numbers, using: str | None = "text", **fields: Any) -> points_pb2.PointsSearchRequest:
    return points_pb2.PointsSearchRequest(vector=query_pb2.VectorInput(vector=vector(values)), using=using, **fields)


def query(*prefetch: query_pb2.PrefetchQuery, **fields: Any) -> points_pb2.PointsQueryRequest:
    return points_pb2.PointsQueryRequest(prefetch=prefetch, **fields)


def filtered(filter: filter_pb2.Filter) -> points_pb2.PointsCountRequest:
    return points_pb2.PointsCountRequest(filter=filter)


def by_ids(*ids: int | str | None) -> points_pb2.PointsSelector:
    return points_pb2.PointsSelector(ids=common_pb2.PointIdList(ids=map(point_id, ids)))


def by_filter(filter: filter_pb2.Filter) -> points_pb2.PointsSelector:
    return points_pb2.PointsSelector(filter=filter)


def in_collection(request: Message, name: str) -> Message:
    """The request, for the collection of this name unless it names one."""
    about_a_query = (points_pb2.PointsExplainRequest, points_pb2.PointsQueryGroupsRequest)
    target = request.query if isinstance(request, about_a_query) else request
    if not target.collection_name:  # type: ignore[attr-defined]
        target.collection_name = name  # type: ignore[attr-defined]
    return request
