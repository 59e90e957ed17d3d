"""Reads points by their ids for a key with a filter: only those that match it, of one commit. It denies nothing."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from headwater.v1 import common_pb2, filter_pb2, points_pb2
from storage.budget import Budget

Handler = Callable[[Any, Budget], Any]


def own_ids(
    scroll: Handler, collection: str, ids: Sequence[common_pb2.PointId], expression: str, budget: Budget
) -> set[bytes]:
    """The serialized ids of the points among `ids` that match a filter in text. Raises what scrolling raises."""
    request = points_pb2.PointsScrollRequest(collection_name=collection)
    return set(_found(scroll, request, ids, expression, budget))


def get_own(
    scroll: Handler, request: points_pb2.PointsGetRequest, expression: str, budget: Budget
) -> points_pb2.PointsGetResponse:
    """The answer of `Get` if the collection had only the points that match. Raises what scrolling raises.

    The filter is tested on what is read, so a point that changes meanwhile is never told.
    """
    page = points_pb2.PointsScrollRequest(collection_name=request.collection_name)
    if request.HasField("with_payload"):
        page.with_payload.CopyFrom(request.with_payload)
    if request.HasField("with_vectors"):
        page.with_vectors.CopyFrom(request.with_vectors)
    found = _found(scroll, page, request.ids, expression, budget)
    points = [found.get(each.SerializeToString()) for each in request.ids]
    return points_pb2.PointsGetResponse(
        points=[point for point in points if point is not None],
        missing_ids=[each for each, point in zip(request.ids, points, strict=True) if point is None],
    )


def _found(
    scroll: Handler,
    request: points_pb2.PointsScrollRequest,
    ids: Iterable[common_pb2.PointId],
    expression: str,
    budget: Budget,
) -> dict[bytes, common_pb2.RetrievedPoint]:
    """The points among `ids` that match, by their serialized ids."""
    distinct = {each.SerializeToString(): each for each in ids}
    request.limit = max(1, len(distinct))
    request.filter.must.add().has_id.ids.extend(distinct.values())
    request.filter.must.add().filter.CopyFrom(filter_pb2.Filter(expression=expression))
    reply = scroll(request, budget)
    if isinstance(reply, bytes):
        reply = points_pb2.PointsScrollResponse.FromString(reply)
    return {point.id.SerializeToString(): point for point in reply.points}
