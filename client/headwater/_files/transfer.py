"""Writes whole collections to files and reads them back, blocking and async. jsonl.py and parquet.py know the formats.

Points are written as they are read, and sent as they are read. So memory holds one page at most.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, aclosing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from headwater import _rpcs as rpcs
from headwater._files import jsonl, parquet
from headwater._files.head import Head, create_request, head_of
from headwater._methods import BATCH_SIZE, AsyncPoints, Progress, progress_of
from headwater._rpc import AsyncNamespace, BlockingNamespace, Namespace, remote
from headwater.errors import CollectionAlreadyExistsError, HeadwaterError
from headwater.filters import FilterLike
from headwater.models import PointStruct, Record, WithVectors
from headwater.v1 import collections_pb2

FilePath = str | os.PathLike[str]


class RecordWriter(Protocol):
    """Appends points to a file of some format."""

    def write(self, record: Record) -> None: ...


@dataclass(frozen=True, slots=True)
class FileFormat:
    """How points are written to a file and read back."""

    writer: Callable[[Path, Head], AbstractContextManager[RecordWriter]]
    head: Callable[[Path], Head | None]
    count: Callable[[Path], int]
    points: Callable[[Path], Iterator[PointStruct]]


JSON_LINES = FileFormat(jsonl.jsonl_writer, jsonl.read_head, jsonl.count_points, jsonl.read_points)
PARQUET = FileFormat(parquet.parquet_writer, parquet.read_head, parquet.count_points, parquet.read_points)


@dataclass(frozen=True, slots=True)
class _Export:
    """Which points are exported, and how they are read. `timeout` is that of each request, in seconds."""

    collection: str
    filter: FilterLike | None
    with_vectors: WithVectors
    batch_size: int
    progress: Progress
    timeout: float | None


class TransferMethods(Namespace):
    """Exports and imports. `timeout` is in seconds and holds for each request; None: the timeout of the client.

    An export reads one commit, whatever is written meanwhile. An import upserts in batches: repeat an import that
    failed. All methods raise HeadwaterError and OSError.
    """

    __slots__ = ()

    @remote
    async def export_jsonl(
        self,
        collection: str,
        path: FilePath,
        *,
        filter: FilterLike | None = None,
        with_vectors: WithVectors = True,
        batch_size: int = BATCH_SIZE,
        progress: Progress = False,
        timeout: float | None = None,
    ) -> int:
        """Writes the matching points to a file of JSON Lines and returns how many. Compressed if the name ends in
        `.gz`.

        The first line holds the schema; each other line is `{"id": ..., "vectors": {space: [...]}, "payload": {...}}`.
        The file appears under its name when it is complete. `progress` is called with (points done, all points).
        """
        asked = _Export(collection, filter, with_vectors, batch_size, progress, timeout)
        return await self._export(JSON_LINES, Path(path), asked)

    @remote
    async def import_jsonl(
        self,
        collection: str,
        path: FilePath,
        *,
        batch_size: int = BATCH_SIZE,
        progress: Progress = False,
        timeout: float | None = None,
    ) -> int:
        """Upserts the points of a file of JSON Lines and returns how many.

        Creates the collection when it does not exist and the file begins with a schema. Without a schema, every line is
        a point. Raises ValueError, which names the line that is not a point.
        """
        return await self._import(JSON_LINES, collection, Path(path), batch_size, progress, timeout)

    @remote
    async def export_parquet(
        self,
        collection: str,
        path: FilePath,
        *,
        filter: FilterLike | None = None,
        with_vectors: WithVectors = True,
        batch_size: int = BATCH_SIZE,
        progress: Progress = False,
        timeout: float | None = None,
    ) -> int:
        """Writes the matching points to a Parquet file and returns how many. Needs `headwater[parquet]`.

        Columns: `id_number` or `id_key`, `payload` (JSON), `vector:<space>` (float32), and the schema in the metadata.
        The file appears under its name when it is complete. `progress` is called with (points done, all points).
        """
        asked = _Export(collection, filter, with_vectors, batch_size, progress, timeout)
        return await self._export(PARQUET, Path(path), asked)

    @remote
    async def import_parquet(
        self,
        collection: str,
        path: FilePath,
        *,
        batch_size: int = BATCH_SIZE,
        progress: Progress = False,
        timeout: float | None = None,
    ) -> int:
        """Upserts the points of a Parquet file and returns how many. Needs `headwater[parquet]`.

        Creates the collection when it does not exist and the file has a schema of Headwater.
        """
        return await self._import(PARQUET, collection, Path(path), batch_size, progress, timeout)

    @remote
    async def create_from_file(self, collection: str, path: FilePath, *, timeout: float | None = None) -> bool:
        """Creates `collection` as the head of an exported file says, Parquet if its name ends in `.parquet`.

        False: it is there already, or the file has no head. Raises ValueError if the head cannot be read.
        """
        file_format = PARQUET if Path(path).suffix == ".parquet" else JSON_LINES
        return await self._create_from_head(file_format, collection, Path(path), timeout)

    async def _create_from_head(
        self, file_format: FileFormat, collection: str, path: Path, timeout: float | None
    ) -> bool:
        head = file_format.head(path)
        return head is not None and await self._create_unless_there(create_request(head, collection), timeout)

    async def _export(self, file_format: FileFormat, path: Path, asked: _Export) -> int:
        points = AsyncPoints(self._calls)  # `_calls` decides whether these block
        request = collections_pb2.CollectionsGetRequest(collection_name=asked.collection)
        head = head_of((await self._calls(rpcs.Collections.GET, request, asked.timeout)).collection)
        total = None
        if asked.progress is not False:
            total = await points.count(asked.collection, filter=asked.filter, timeout=asked.timeout)
        records = points.scroll_all(
            asked.collection,
            filter=asked.filter,
            batch_size=asked.batch_size,
            with_vectors=asked.with_vectors,
            timeout=asked.timeout,
        )
        part = path.with_name(f".part-{path.name}")  # keeps the suffix, which says whether the file is compressed
        done = 0
        try:
            with progress_of(asked.progress, total) as report, file_format.writer(part, head) as file:
                async with aclosing(records):
                    async for record in records:
                        file.write(record)
                        done += 1
                        if done % asked.batch_size == 0:
                            report(done)
                report(done)
            part.replace(path)
        except BaseException:
            with suppress(FileNotFoundError):
                part.unlink()
            raise
        return done

    async def _import(
        self,
        file_format: FileFormat,
        collection: str,
        path: Path,
        batch_size: int,
        progress: Progress,
        timeout: float | None,
    ) -> int:
        await self._create_from_head(file_format, collection, path, timeout)
        points = _Points(file_format.points(path), file_format.count(path) if progress is not False else None)
        try:
            return await AsyncPoints(self._calls).upload_points(
                collection, points.counted(), batch_size=batch_size, progress=progress, timeout=timeout
            )
        except (TypeError, ValueError) as error:
            if not points.read or batch_size < 1:
                raise
            done = (points.read - 1) // batch_size * batch_size
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(f"{path}, point {points.read:,}: {error} (up to {done:,} points were imported)") from error
        except HeadwaterError as error:
            error.add_note(f"after {points.read:,} points of {path} were read; earlier batches are imported")
            raise

    async def _create_unless_there(
        self, request: collections_pb2.CollectionsCreateRequest, timeout: float | None
    ) -> bool:
        exists = collections_pb2.CollectionsExistsRequest(collection_name=request.collection_name)
        if not (await self._calls(rpcs.Collections.EXISTS, exists, timeout)).exists:
            with suppress(CollectionAlreadyExistsError):  # another caller was faster
                await self._calls(rpcs.Collections.CREATE, request, timeout)
                return True
        return False


class _Points:
    """The points of a file, and how many were read."""

    def __init__(self, points: Iterator[PointStruct], count: int | None) -> None:
        self._points, self._count, self.read = points, count, 0

    def __iter__(self) -> Iterator[PointStruct]:
        for point in self._points:
            self.read += 1
            yield point

    def counted(self) -> Iterable[PointStruct]:
        """The points as an iterable that also has a length, when the length is known."""
        return self if self._count is None else _Counted(self, self._count)


@dataclass(frozen=True, slots=True)
class _Counted:
    """Points whose number is known before they are read."""

    points: Iterable[PointStruct]
    count: int

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[PointStruct]:
        return iter(self.points)


class Transfers(TransferMethods, BlockingNamespace):
    """The exports and imports of a Client."""

    __slots__ = ()


class AsyncTransfers(TransferMethods, AsyncNamespace):
    """The exports and imports of an AsyncClient."""

    __slots__ = ()
