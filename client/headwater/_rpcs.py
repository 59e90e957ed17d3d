"""Every RPC of the contract: its path, its messages, and whether it may be sent twice. Sends none of them.

`repeatable` RPCs are sent again when the server is unavailable. Sending them twice leaves the same data as sending them
once, and the second answer is as good as the first. `once` RPCs are not sent again. A second Create would find the name
taken, a second Delete would find nothing to delete, and a second batch may undo writes that others made in between.
"""

from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from google.protobuf.message import Message

from headwater.v1 import collections_pb2, indexes_pb2, keys_pb2, points_pb2, vde_pb2

Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response", bound=Message)


@dataclass(frozen=True, slots=True, eq=False)
class Rpc(Generic[Request, Response]):
    """An RPC. The contract says whether either side sends a stream; streaming RPCs are never sent twice."""

    path: str
    request: type[Request]
    response: type[Response]
    repeatable: bool


def _rpc(request: type[Request], response: type[Response], repeatable: bool) -> Rpc[Request, Response]:
    # The contract names messages <Service><Method>Request, so the request says which RPC it is for.
    (service,) = request.DESCRIPTOR.file.services_by_name.values()
    method = service.methods_by_name[request.DESCRIPTOR.name.removeprefix(service.name).removesuffix("Request")]
    return Rpc(f"/{service.full_name}/{method.name}", request, response, repeatable)


def repeatable(request: type[Request], response: type[Response]) -> Rpc[Request, Response]:
    return _rpc(request, response, True)


def once(request: type[Request], response: type[Response]) -> Rpc[Request, Response]:
    return _rpc(request, response, False)


class Collections:
    """RPCs of the service Collections."""

    CREATE: Final = once(collections_pb2.CollectionsCreateRequest, collections_pb2.CollectionsCreateResponse)
    GET: Final = repeatable(collections_pb2.CollectionsGetRequest, collections_pb2.CollectionsGetResponse)
    LIST: Final = repeatable(collections_pb2.CollectionsListRequest, collections_pb2.CollectionsListResponse)
    EXISTS: Final = repeatable(collections_pb2.CollectionsExistsRequest, collections_pb2.CollectionsExistsResponse)
    UPDATE: Final = once(collections_pb2.CollectionsUpdateRequest, collections_pb2.CollectionsUpdateResponse)
    DELETE: Final = once(collections_pb2.CollectionsDeleteRequest, collections_pb2.CollectionsDeleteResponse)
    UPDATE_ALIASES: Final = once(
        collections_pb2.CollectionsUpdateAliasesRequest, collections_pb2.CollectionsUpdateAliasesResponse
    )
    LIST_ALIASES: Final = repeatable(
        collections_pb2.CollectionsListAliasesRequest, collections_pb2.CollectionsListAliasesResponse
    )


class Points:
    """RPCs of the service Points."""

    UPSERT: Final = repeatable(points_pb2.PointsUpsertRequest, points_pb2.PointsUpsertResponse)
    GET: Final = repeatable(points_pb2.PointsGetRequest, points_pb2.PointsGetResponse)
    DELETE: Final = repeatable(points_pb2.PointsDeleteRequest, points_pb2.PointsDeleteResponse)
    UPDATE_VECTORS: Final = repeatable(points_pb2.PointsUpdateVectorsRequest, points_pb2.PointsUpdateVectorsResponse)
    DELETE_VECTORS: Final = repeatable(points_pb2.PointsDeleteVectorsRequest, points_pb2.PointsDeleteVectorsResponse)
    SET_PAYLOAD: Final = repeatable(points_pb2.PointsSetPayloadRequest, points_pb2.PointsSetPayloadResponse)
    OVERWRITE_PAYLOAD: Final = repeatable(
        points_pb2.PointsOverwritePayloadRequest, points_pb2.PointsOverwritePayloadResponse
    )
    DELETE_PAYLOAD: Final = repeatable(points_pb2.PointsDeletePayloadRequest, points_pb2.PointsDeletePayloadResponse)
    CLEAR_PAYLOAD: Final = repeatable(points_pb2.PointsClearPayloadRequest, points_pb2.PointsClearPayloadResponse)
    SEARCH: Final = repeatable(points_pb2.PointsSearchRequest, points_pb2.PointsSearchResponse)
    SEARCH_BATCH: Final = repeatable(points_pb2.PointsSearchBatchRequest, points_pb2.PointsSearchBatchResponse)
    QUERY: Final = repeatable(points_pb2.PointsQueryRequest, points_pb2.PointsQueryResponse)
    QUERY_BATCH: Final = repeatable(points_pb2.PointsQueryBatchRequest, points_pb2.PointsQueryBatchResponse)
    EXPLAIN: Final = repeatable(points_pb2.PointsExplainRequest, points_pb2.PointsExplainResponse)
    EXPLAIN_POINT: Final = repeatable(points_pb2.PointsExplainPointRequest, points_pb2.PointsExplainPointResponse)
    QUERY_GROUPS: Final = repeatable(points_pb2.PointsQueryGroupsRequest, points_pb2.PointsQueryGroupsResponse)
    FACET: Final = repeatable(points_pb2.PointsFacetRequest, points_pb2.PointsFacetResponse)
    AGGREGATE: Final = repeatable(points_pb2.PointsAggregateRequest, points_pb2.PointsAggregateResponse)
    SEARCH_MATRIX_PAIRS: Final = repeatable(
        points_pb2.PointsSearchMatrixPairsRequest, points_pb2.PointsSearchMatrixPairsResponse
    )
    SEARCH_MATRIX_OFFSETS: Final = repeatable(
        points_pb2.PointsSearchMatrixOffsetsRequest, points_pb2.PointsSearchMatrixOffsetsResponse
    )
    SCROLL: Final = repeatable(points_pb2.PointsScrollRequest, points_pb2.PointsScrollResponse)
    CLOSE_CURSOR: Final = repeatable(points_pb2.PointsCloseCursorRequest, points_pb2.PointsCloseCursorResponse)
    COUNT: Final = repeatable(points_pb2.PointsCountRequest, points_pb2.PointsCountResponse)
    CREATE_TEXT_INDEX: Final = repeatable(
        points_pb2.PointsCreateTextIndexRequest, points_pb2.PointsCreateTextIndexResponse
    )
    DELETE_TEXT_INDEX: Final = once(points_pb2.PointsDeleteTextIndexRequest, points_pb2.PointsDeleteTextIndexResponse)
    UPDATE_BATCH: Final = once(points_pb2.PointsUpdateBatchRequest, points_pb2.PointsUpdateBatchResponse)
    CREATE_FIELD_INDEX: Final = repeatable(
        points_pb2.PointsCreateFieldIndexRequest, points_pb2.PointsCreateFieldIndexResponse
    )
    DELETE_FIELD_INDEX: Final = once(
        points_pb2.PointsDeleteFieldIndexRequest, points_pb2.PointsDeleteFieldIndexResponse
    )


class VDE:
    """RPCs of the service VDE."""

    OPEN: Final = repeatable(vde_pb2.VDEOpenRequest, vde_pb2.VDEOpenResponse)
    CLOSE: Final = repeatable(vde_pb2.VDECloseRequest, vde_pb2.VDECloseResponse)
    GET_STATE: Final = repeatable(vde_pb2.VDEGetStateRequest, vde_pb2.VDEGetStateResponse)
    GET_VECTOR_COUNT: Final = repeatable(vde_pb2.VDEGetVectorCountRequest, vde_pb2.VDEGetVectorCountResponse)
    GET_STATS: Final = repeatable(vde_pb2.VDEGetStatsRequest, vde_pb2.VDEGetStatsResponse)
    FLUSH: Final = repeatable(vde_pb2.VDEFlushRequest, vde_pb2.VDEFlushResponse)
    OPTIMIZE: Final = once(vde_pb2.VDEOptimizeRequest, vde_pb2.VDEOptimizeResponse)
    REBUILD_INDEX: Final = once(vde_pb2.VDERebuildIndexRequest, vde_pb2.VDERebuildIndexResponse)
    TRIGGER_REBUILD: Final = once(vde_pb2.VDETriggerRebuildRequest, vde_pb2.VDETriggerRebuildResponse)
    GET_REBUILD_TASK: Final = repeatable(vde_pb2.VDEGetRebuildTaskRequest, vde_pb2.VDEGetRebuildTaskResponse)
    LIST_REBUILD_TASKS: Final = repeatable(vde_pb2.VDEListRebuildTasksRequest, vde_pb2.VDEListRebuildTasksResponse)
    CANCEL_REBUILD_TASK: Final = repeatable(vde_pb2.VDECancelRebuildTaskRequest, vde_pb2.VDECancelRebuildTaskResponse)
    COMPACT_COLLECTION: Final = once(vde_pb2.VDECompactCollectionRequest, vde_pb2.VDECompactCollectionResponse)
    GET_OPTIMIZATIONS: Final = repeatable(vde_pb2.VDEGetOptimizationsRequest, vde_pb2.VDEGetOptimizationsResponse)
    EVALUATE_RECALL: Final = repeatable(vde_pb2.VDEEvaluateRecallRequest, vde_pb2.VDEEvaluateRecallResponse)
    PREWARM: Final = repeatable(vde_pb2.VDEPrewarmRequest, vde_pb2.VDEPrewarmResponse)
    CLONE_COLLECTION: Final = once(vde_pb2.VDECloneCollectionRequest, vde_pb2.VDECloneCollectionResponse)
    CREATE_SNAPSHOT: Final = once(vde_pb2.VDECreateSnapshotRequest, vde_pb2.VDECreateSnapshotResponse)
    LIST_SNAPSHOTS: Final = repeatable(vde_pb2.VDEListSnapshotsRequest, vde_pb2.VDEListSnapshotsResponse)
    DELETE_SNAPSHOT: Final = once(vde_pb2.VDEDeleteSnapshotRequest, vde_pb2.VDEDeleteSnapshotResponse)
    RESTORE_SNAPSHOT: Final = once(vde_pb2.VDERestoreSnapshotRequest, vde_pb2.VDERestoreSnapshotResponse)
    DOWNLOAD_SNAPSHOT: Final = once(vde_pb2.VDEDownloadSnapshotRequest, vde_pb2.VDEDownloadSnapshotResponse)
    UPLOAD_SNAPSHOT: Final = once(vde_pb2.VDEUploadSnapshotRequest, vde_pb2.VDEUploadSnapshotResponse)
    SAMPLE_VECTORS: Final = once(vde_pb2.VDESampleVectorsRequest, vde_pb2.VDESampleVectorsResponse)
    IMPORT_PARTITION: Final = once(vde_pb2.VDEImportPartitionRequest, vde_pb2.VDEImportPartitionResponse)
    DELETE_PARTITION: Final = once(vde_pb2.VDEDeletePartitionRequest, vde_pb2.VDEDeletePartitionResponse)


class Indexes:
    """RPCs of the service Indexes."""

    CREATE: Final = once(indexes_pb2.IndexesCreateRequest, indexes_pb2.IndexesCreateResponse)
    GET: Final = repeatable(indexes_pb2.IndexesGetRequest, indexes_pb2.IndexesGetResponse)
    LIST: Final = repeatable(indexes_pb2.IndexesListRequest, indexes_pb2.IndexesListResponse)
    DELETE: Final = once(indexes_pb2.IndexesDeleteRequest, indexes_pb2.IndexesDeleteResponse)
    GET_STATS: Final = repeatable(indexes_pb2.IndexesGetStatsRequest, indexes_pb2.IndexesGetStatsResponse)
    REARM: Final = repeatable(indexes_pb2.IndexesRearmRequest, indexes_pb2.IndexesRearmResponse)
    UPSERT_VECTORS: Final = repeatable(
        indexes_pb2.IndexesUpsertVectorsRequest, indexes_pb2.IndexesUpsertVectorsResponse
    )
    UPSERT_RECORDS: Final = once(indexes_pb2.IndexesUpsertRecordsRequest, indexes_pb2.IndexesUpsertRecordsResponse)
    SEARCH: Final = repeatable(indexes_pb2.IndexesSearchRequest, indexes_pb2.IndexesSearchResponse)


class Keys:
    """RPCs of the service Keys."""

    CREATE: Final = once(keys_pb2.KeysCreateRequest, keys_pb2.KeysCreateResponse)
    LIST: Final = repeatable(keys_pb2.KeysListRequest, keys_pb2.KeysListResponse)
    ROTATE: Final = once(keys_pb2.KeysRotateRequest, keys_pb2.KeysRotateResponse)
    DELETE: Final = once(keys_pb2.KeysDeleteRequest, keys_pb2.KeysDeleteResponse)
