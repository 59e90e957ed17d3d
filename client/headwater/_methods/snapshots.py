"""The methods of `.vde` that copy collections: snapshots on the server, downloads and uploads."""

import json
import os
import tarfile
from collections.abc import Iterator
from contextlib import aclosing, suppress
from datetime import UTC, datetime
from pathlib import Path

from headwater import _rpcs as rpcs
from headwater._methods.progress import Progress, progress_of
from headwater._rpc import Namespace, remote
from headwater.models import SnapshotInfo
from headwater.v1 import vde_pb2

CHUNK_BYTES = 2**20
SUFFIX = ".snapshot"


class SnapshotMethods(Namespace):
    """Copies of a collection as it is at one commit, made while writes go on."""

    __slots__ = ()

    @remote
    async def clone_collection(self, collection: str, target: str, *, timeout: float | None = None) -> None:
        """Copies the newest commit of a collection to a new collection, whose name must be free."""
        request = vde_pb2.VDECloneCollectionRequest(collection_name=collection, target_collection_name=target)
        await self._calls(rpcs.VDE.CLONE_COLLECTION, request, timeout)

    @remote
    async def create_snapshot(
        self, collection: str, name: str | None = None, *, timeout: float | None = None
    ) -> SnapshotInfo:
        """Stores a copy of a collection as a file on the server. `name` None: made of collection, commit and time."""
        request = vde_pb2.VDECreateSnapshotRequest(collection_name=collection, snapshot_name=name)
        return _info_of((await self._calls(rpcs.VDE.CREATE_SNAPSHOT, request, timeout)).snapshot)

    @remote
    async def list_snapshots(
        self, collection: str | None = None, *, timeout: float | None = None
    ) -> list[SnapshotInfo]:
        """Returns the snapshots of a collection, which may be deleted; None: all. Sorted by collection and name."""
        request = vde_pb2.VDEListSnapshotsRequest(collection_name=collection)
        return [_info_of(each) for each in (await self._calls(rpcs.VDE.LIST_SNAPSHOTS, request, timeout)).snapshots]

    @remote
    async def delete_snapshot(self, collection: str, name: str, *, timeout: float | None = None) -> None:
        """Deletes a snapshot. Raises SnapshotNotFoundError."""
        request = vde_pb2.VDEDeleteSnapshotRequest(collection_name=collection, snapshot_name=name)
        await self._calls(rpcs.VDE.DELETE_SNAPSHOT, request, timeout)

    @remote
    async def restore_snapshot(self, collection: str, name: str, target: str, *, timeout: float | None = None) -> None:
        """Makes a new collection `target` from a snapshot, which is verified first.

        `collection` is the name that the snapshot is listed under. If that collection is deleted, `target` may have its
        name.
        """
        request = vde_pb2.VDERestoreSnapshotRequest(
            collection_name=collection, snapshot_name=name, target_collection_name=target
        )
        await self._calls(rpcs.VDE.RESTORE_SNAPSHOT, request, timeout)

    @remote
    async def download_snapshot(
        self,
        collection: str,
        name: str,
        path: str | os.PathLike[str],
        *,
        progress: Progress = False,
        timeout: float | None = None,
    ) -> Path:
        """Writes a snapshot to the file `path`, or into the folder `path` as `<name>.snapshot`. Returns the path of the
        file.

        The file appears under its name when it is complete. `progress` is called with (bytes done, all bytes).
        `timeout` None: no deadline.
        """
        target = Path(path)
        if target.is_dir():
            target /= name + SUFFIX
        part = target.with_name(f".part-{target.name}")
        request = vde_pb2.VDEDownloadSnapshotRequest(collection_name=collection, snapshot_name=name)
        try:
            async with aclosing(self._calls.download(rpcs.VDE.DOWNLOAD_SNAPSHOT, request, timeout)) as answers:
                first = await anext(answers, None)
                size = 0 if first is None else first.size_bytes
                done = 0
                with progress_of(progress, size, "bytes") as report, part.open("wb") as file:
                    async for answer in answers:
                        file.write(answer.chunk)
                        done += len(answer.chunk)
                        report(done)
            if done != size:
                raise OSError(f"{name}: {size:,} bytes were announced, but {done:,} came")
            part.replace(target)
        except BaseException:
            with suppress(FileNotFoundError):
                part.unlink()
            raise
        return target

    @remote
    async def upload_snapshot(
        self,
        path: str | os.PathLike[str],
        collection: str | None = None,
        name: str | None = None,
        *,
        progress: Progress = False,
        timeout: float | None = None,
    ) -> SnapshotInfo:
        """Sends the file of a snapshot to the server, which verifies it. Then `restore_snapshot` can use it.

        It is listed under `collection` (None: the collection that it was made from; it need not exist) and `name`
        (None: the name of the file without its suffix). `progress` is called with (bytes done, all bytes). `timeout`
        None: no deadline. Raises ValueError when the file is not a snapshot.
        """
        source = Path(path)
        size = source.stat().st_size
        header = vde_pb2.UploadHeader(
            collection_name=_collection_in(source) if collection is None else collection,
            snapshot_name=source.name.removesuffix(SUFFIX) if name is None else name,
            size_bytes=size,
        )

        def requests() -> Iterator[vde_pb2.VDEUploadSnapshotRequest]:
            yield vde_pb2.VDEUploadSnapshotRequest(header=header)
            done = 0
            with progress_of(progress, size, "bytes") as report, source.open("rb") as file:
                while chunk := file.read(CHUNK_BYTES):
                    yield vde_pb2.VDEUploadSnapshotRequest(chunk=chunk)
                    done += len(chunk)
                    report(done)

        return _info_of((await self._calls.upload(rpcs.VDE.UPLOAD_SNAPSHOT, requests(), timeout)).snapshot)


def _collection_in(path: Path) -> str:
    """Returns the name of the collection from which a snapshot was made. Raises ValueError."""
    try:
        with tarfile.open(path, "r:") as tar:
            manifest = tar.extractfile("manifest.json")
            if manifest is None:
                raise ValueError("it has no manifest")
            return str(json.load(manifest)["collection"])
    except (tarfile.TarError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is not a snapshot: {error}") from None


def _info_of(message: vde_pb2.SnapshotInfo) -> SnapshotInfo:
    return SnapshotInfo(
        name=message.snapshot_name,
        collection=message.collection_name,
        size_bytes=message.size_bytes,
        seq=message.seq,
        created=datetime.fromtimestamp(message.created, UTC),
    )
