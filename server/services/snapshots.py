"""Snapshots: the RPCs of `VDE` that copy collections and move them between servers."""

from collections.abc import Iterator

from headwater.v1 import vde_pb2 as wire
from storage.budget import Budget
from storage.database import Database
from storage.errors import CollectionNotFound, InvalidRequest
from storage.tables import SnapshotEntry

CHUNK_BYTES = 2**20


class SnapshotTransfers:
    """The RPCs of `VDE` that copy a collection: to another one, to a snapshot and back, over the wire."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def clone_collection(
        self, request: wire.VDECloneCollectionRequest, budget: Budget
    ) -> wire.VDECloneCollectionResponse:
        self._database.clone_collection(request.collection_name, request.target_collection_name, budget)
        return wire.VDECloneCollectionResponse()

    def create_snapshot(self, request: wire.VDECreateSnapshotRequest, budget: Budget) -> wire.VDECreateSnapshotResponse:
        collection = self._database.collection(request.collection_name, budget)
        name = request.snapshot_name if request.HasField("snapshot_name") else None
        return wire.VDECreateSnapshotResponse(snapshot=_info(self._database.snapshots.create(collection, name, budget)))

    def list_snapshots(self, request: wire.VDEListSnapshotsRequest, budget: Budget) -> wire.VDEListSnapshotsResponse:
        owner = None
        if request.HasField("collection_name"):
            owner = self._database.names.snapshot_owner(request.collection_name)
        entries = self._database.snapshots.list(owner)
        if owner is not None and not entries and not self._database.names.exists(owner):
            raise CollectionNotFound(request.collection_name)
        return wire.VDEListSnapshotsResponse(snapshots=map(_info, entries))

    def delete_snapshot(self, request: wire.VDEDeleteSnapshotRequest, budget: Budget) -> wire.VDEDeleteSnapshotResponse:
        owner = self._database.names.snapshot_owner(request.collection_name)
        self._database.snapshots.delete(owner, request.snapshot_name)
        return wire.VDEDeleteSnapshotResponse()

    def restore_snapshot(
        self, request: wire.VDERestoreSnapshotRequest, budget: Budget
    ) -> wire.VDERestoreSnapshotResponse:
        self._database.restore_snapshot(
            request.collection_name, request.snapshot_name, request.target_collection_name, budget
        )
        return wire.VDERestoreSnapshotResponse()

    def download_snapshot(
        self, request: wire.VDEDownloadSnapshotRequest, budget: Budget
    ) -> Iterator[wire.VDEDownloadSnapshotResponse]:
        owner = self._database.names.snapshot_owner(request.collection_name)
        entry = self._database.snapshots.get(owner, request.snapshot_name)
        with self._database.snapshots.open(entry) as file:
            yield wire.VDEDownloadSnapshotResponse(size_bytes=entry.size)
            while chunk := file.read(CHUNK_BYTES):
                budget.check()
                yield wire.VDEDownloadSnapshotResponse(chunk=chunk)

    def upload_snapshot(
        self, requests: Iterator[wire.VDEUploadSnapshotRequest], budget: Budget
    ) -> wire.VDEUploadSnapshotResponse:
        first = next(requests, None)
        if first is None or first.WhichOneof("part") != "header":
            raise InvalidRequest("header", "the first message must be the header")
        header = first.header
        owner = self._database.names.snapshot_owner(header.collection_name)
        entry = self._database.snapshots.receive(
            owner, header.snapshot_name, header.size_bytes, _chunks(requests), budget
        )
        return wire.VDEUploadSnapshotResponse(snapshot=_info(entry))


def _chunks(requests: Iterator[wire.VDEUploadSnapshotRequest]) -> Iterator[bytes]:
    for number, request in enumerate(requests):
        if request.WhichOneof("part") != "chunk":
            raise InvalidRequest("chunk", f"message {number + 2} of the stream is not a chunk")
        yield request.chunk


def _info(entry: SnapshotEntry) -> wire.SnapshotInfo:
    return wire.SnapshotInfo(
        snapshot_name=entry.name,
        collection_name=entry.collection,
        size_bytes=entry.size,
        seq=entry.seq,
        created=entry.created,
    )
