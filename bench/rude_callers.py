"""The dearest legal requests, and callers that do not do their part: what `bench.fairness` presses a server with.

The collections are those of `bench.fairness`: `c` is read, `written` is written.
"""

import time
from collections.abc import Callable, Iterator, Mapping

import grpc
import numpy as np
from google.protobuf.message import Message
from grpc_reflection.v1alpha import reflection_pb2

from headwater.v1 import common_pb2, filter_pb2, payload_pb2, query_pb2
from headwater.v1 import points_pb2 as points
from headwater.v1 import vde_pb2 as vde

SIZE = 64
Load = Callable[[grpc.Channel], str]
"""Sends one request of a kind and waits for its end; what became of it."""

_ENDLESS_SECONDS = 3.0  # how long a caller that does not do its part keeps a stream before it opens another


def random_vector() -> common_pb2.Vector:
    """A random vector."""
    values = np.random.default_rng().standard_normal(SIZE).astype(np.float32)
    return common_pb2.Vector(dense=common_pb2.DenseVector(values=values.tolist()))


def _nearest() -> query_pb2.Query:
    return query_pb2.Query(nearest=query_pb2.VectorInput(vector=random_vector()))


def search_request() -> points.PointsSearchRequest:
    """A cheap search."""
    return points.PointsSearchRequest(
        collection_name="c", vector=query_pb2.VectorInput(vector=random_vector()), limit=10
    )


def _scan() -> filter_pb2.Filter:
    """A filter that no index answers, and that was never asked before."""
    pattern = f"x+{time.perf_counter_ns() % 10**6}.*"
    condition = filter_pb2.FieldCondition(path="text", regex=pattern)
    return filter_pb2.Filter(must=[filter_pb2.Condition(field=condition)])


def _query(limit: int, **more: object) -> points.PointsQueryRequest:
    return points.PointsQueryRequest(collection_name="c", query=_nearest(), limit=limit, **more)  # type: ignore[arg-type]


def _batch(limit: int) -> Message:
    return points.PointsQueryBatchRequest(collection_name="c", queries=[_query(limit) for _ in range(256)])


def _groups() -> Message:
    return points.PointsQueryGroupsRequest(query=_query(1_000), group_by="group", group_size=10)


def _facet() -> Message:
    return points.PointsFacetRequest(collection_name="c", key="text", limit=10_000, filter=_scan())


def _matrix() -> Message:
    return points.PointsSearchMatrixPairsRequest(collection_name="c", sample=1_000, limit=1_000)


def _mmr() -> Message:
    mmr = query_pb2.NearestWithMmr(nearest=query_pb2.VectorInput(vector=random_vector()), candidates=1_000)
    query = query_pb2.Query(nearest_with_mmr=mmr)
    return points.PointsQueryRequest(collection_name="c", query=query, limit=1_000)


def _exact() -> Message:
    exact = query_pb2.SearchParams(exact=True)
    searches = []
    for _ in range(256):
        search = search_request()
        search.limit = 1_000
        search.params.CopyFrom(exact)
        searches.append(search)
    return points.PointsSearchBatchRequest(collection_name="c", searches=searches)


def _count() -> Message:
    return points.PointsCountRequest(collection_name="c", filter=_scan())


def _page() -> Message:
    return points.PointsScrollRequest(
        collection_name="c", limit=10_000, with_vectors=common_pb2.WithVectorsSelector(enable=True)
    )


def _upsert() -> Message:
    text = payload_pb2.Payload(fields={"text": payload_pb2.Value(string_value="x" * 1_000)})
    rows = [
        common_pb2.PointStruct(id=common_pb2.PointId(number=number), vectors={"": random_vector()}, payload=text)
        for number in range(20_000)
    ]
    return points.PointsUpsertRequest(collection_name="written", points=rows)


def _delete() -> Message:
    return points.PointsDeleteRequest(collection_name="c", selector=points.PointsSelector(filter=_scan()))


def _unary(path: str, make: Callable[[], Message]) -> Load:
    def send(channel: grpc.Channel) -> str:
        try:
            channel.unary_unary(f"/headwater.v1.{path}", None, None)(make().SerializeToString(), timeout=900)
        except grpc.RpcError as error:
            return str(error.code().name)
        return "OK"

    return send


def _silent(first: bytes) -> Iterator[bytes]:
    """A message, and then nothing."""
    yield first
    time.sleep(_ENDLESS_SECONDS)


def _reflection(channel: grpc.Channel) -> str:
    request = reflection_pb2.ServerReflectionRequest(list_services="").SerializeToString()
    path = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
    return _streamed(lambda: list(channel.stream_stream(path, None, None)(_silent(request), timeout=30)))


def _upload(channel: grpc.Channel) -> str:
    header = vde.UploadHeader(collection_name="c", snapshot_name="u", size_bytes=2**30)
    first = vde.VDEUploadSnapshotRequest(header=header).SerializeToString()
    method = channel.stream_unary("/headwater.v1.VDE/UploadSnapshot", None, None)
    return _streamed(lambda: method(_silent(first), timeout=30))


def _headers(channel: grpc.Channel) -> str:
    method = channel.stream_unary("/headwater.v1.Points/Search", None, None)

    def nothing() -> Iterator[bytes]:
        time.sleep(_ENDLESS_SECONDS)
        yield from ()

    calls = [method.future(nothing(), timeout=30) for _ in range(8)]
    return _streamed(lambda: [call.result() for call in calls])


def _download(channel: grpc.Channel) -> str:
    """Is never read but for its first message."""
    request = vde.VDEDownloadSnapshotRequest(collection_name="c", snapshot_name="s").SerializeToString()
    call = channel.unary_stream("/headwater.v1.VDE/DownloadSnapshot", None, None)(request, timeout=30)

    def open_and_leave() -> None:
        next(iter(call))
        time.sleep(_ENDLESS_SECONDS)
        call.cancel()

    return _streamed(open_and_leave)


def _streamed(use: Callable[[], object]) -> str:
    try:
        use()
    except grpc.RpcError as error:
        return str(error.code().name)
    return "OK"


LOADS: Mapping[str, Load] = {
    "256 queries x limit 10,000": _unary("Points/QueryBatch", lambda: _batch(10_000)),
    "256 queries x limit 2,000": _unary("Points/QueryBatch", lambda: _batch(2_000)),
    "groups": _unary("Points/QueryGroups", _groups),
    "facets": _unary("Points/Facet", _facet),
    "distance matrix of 1,000": _unary("Points/SearchMatrixPairs", _matrix),
    "MMR among 1,000": _unary("Points/Query", _mmr),
    "256 exact searches": _unary("Points/SearchBatch", _exact),
    "counts by a regex": _unary("Points/Count", _count),
    "pages of 10,000 with vectors": _unary("Points/Scroll", _page),
    "upserts of 20,000 points": _unary("Points/Upsert", _upsert),
    "deletes by a regex": _unary("Points/Delete", _delete),
    "reflection streams": _reflection,
    "uploads that stand still": _upload,
    "downloads that are not read": _download,
    "headers without a message": _headers,
}
