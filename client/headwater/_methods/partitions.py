"""The methods of `.vde` for partitions that are computed elsewhere: they fetch samples and send trees of centroids."""

from collections.abc import Iterator
from contextlib import aclosing
from typing import Any, cast

import numpy as np

from headwater import _rpcs as rpcs
from headwater._rpc import Namespace, remote
from headwater._wire import float32_of, id_of, unsigned
from headwater.errors import InvalidPartitionError, InvalidQueryError
from headwater.models import (
    BuildEstimate,
    Partition,
    PartitionRow,
    PartitionRowLike,
    PartitionRowsLike,
    PointId,
    VectorSample,
)
from headwater.v1 import vde_pb2

ROWS_AT_ONCE = 128


class PartitionMethods(Namespace):
    """Methods for partitions that are computed elsewhere: on another machine or on a GPU."""

    __slots__ = ()

    @remote
    async def sample_vectors(
        self, collection: str, count: int, using: str | None = None, *, seed: int = 0, timeout: float | None = None
    ) -> VectorSample:
        """Draws `count` stored vectors at random, or all. Equal seeds draw equal samples of the same points."""
        request = vde_pb2.VDESampleVectorsRequest(
            collection_name=collection,
            using=using,
            count=unsigned(count, "count"),
            seed=unsigned(seed, "seed", InvalidQueryError, bits=64),
        )
        ids: list[PointId] = []
        parts = [np.empty((0, 0), np.float32)]
        async with aclosing(self._calls.download(rpcs.VDE.SAMPLE_VECTORS, request, timeout)) as answers:
            async for answer in answers:
                ids += map(id_of, answer.ids)
                parts.append(np.frombuffer(answer.vectors, "<f4").reshape(-1, answer.size))
        return VectorSample(ids, np.concatenate(parts[1:] or parts))

    @remote
    async def import_partition(
        self,
        collection: str,
        rows: PartitionRowsLike | None = None,
        using: str | None = None,
        *,
        from_collection: str | None = None,
        from_using: str | None = None,
        timeout: float | None = None,
    ) -> Partition:
        """Sends a tree of centroids. From now on, IVF lists of the space are built with it.

        `rows` are PartitionRows or (id, parent, vector), in any order. Without `rows`, the points of `from_collection`
        are the rows: their ids are numbers, and the payload's `parent` is the parent. Raises InvalidPartitionError,
        which names the row; then nothing is stored. Existing segments keep their lists until `trigger_rebuild`.
        """
        if (rows is None) == (from_collection is None):
            raise ValueError("give either rows or from_collection (and from_using)")
        header = vde_pb2.PartitionHeader(
            collection_name=collection, using=using, from_collection=from_collection or "", from_using=from_using
        )
        answer = await self._calls.upload(rpcs.VDE.IMPORT_PARTITION, _requests(header, rows or ()), timeout)
        return Partition(answer.partition_id, tuple(answer.lists), answer.checksum)

    @remote
    async def delete_partition(
        self, collection: str, using: str | None = None, *, timeout: float | None = None
    ) -> bool:
        """Deletes the partition of a space; its segments then compute their own again. Returns False when there was
        none."""
        request = vde_pb2.VDEDeletePartitionRequest(collection_name=collection, using=using)
        return (await self._calls(rpcs.VDE.DELETE_PARTITION, request, timeout)).deleted

    @remote
    async def estimate_rebuild(
        self, collection: str, using: str | None = None, *, timeout: float | None = None
    ) -> list[BuildEstimate]:
        """Estimates what a rebuild of the indexes of a space (None: of all) takes. Returns one estimate per segment."""
        request = vde_pb2.VDETriggerRebuildRequest(collection_name=collection, using=using, dry_run=True)
        answer = await self._calls(rpcs.VDE.TRIGGER_REBUILD, request, timeout)
        return [_estimate_of(each) for each in answer.estimates]


def _requests(header: vde_pb2.PartitionHeader, rows: PartitionRowsLike) -> Iterator[vde_pb2.VDEImportPartitionRequest]:
    yield vde_pb2.VDEImportPartitionRequest(header=header)
    part: list[vde_pb2.PartitionRow] = []
    for position, row in enumerate(rows):
        part.append(_row_message(row, f"rows[{position}]"))
        if len(part) == ROWS_AT_ONCE:
            yield vde_pb2.VDEImportPartitionRequest(rows=vde_pb2.PartitionRows(rows=part))
            part = []
    if part:
        yield vde_pb2.VDEImportPartitionRequest(rows=vde_pb2.PartitionRows(rows=part))


def _row_message(row: PartitionRowLike, path: str) -> vde_pb2.PartitionRow:
    number, parent, vector = (row.id, row.parent, row.vector) if isinstance(row, PartitionRow) else row
    return vde_pb2.PartitionRow(
        id=unsigned(number, f"{path}.id", InvalidPartitionError),
        parent=unsigned(parent, f"{path}.parent", InvalidPartitionError),
        vector=float32_of(cast(Any, vector), f"{path}.vector"),
    )


def _estimate_of(message: vde_pb2.BuildEstimate) -> BuildEstimate:
    return BuildEstimate(
        using=message.using,
        rows=message.rows,
        index=message.index,
        lists=tuple(message.lists),
        sample_rows=message.sample_rows,
        peak_memory_bytes=message.peak_memory_bytes,
        seconds=message.seconds,
    )
