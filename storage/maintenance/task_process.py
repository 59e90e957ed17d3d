"""Runs one task: gives its process the input, and commits what the process wrote."""

import logging
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from storage.collection import Collection
from storage.errors import EngineError, StorageFailed
from storage.files import failpoint, failure, map_bytes, sync_file, sync_folder
from storage.index import codes_file
from storage.maintenance.build_job import (
    UNKNOWN,
    BuildJob,
    Progress,
    Source,
    SourceRows,
    StoredPartition,
    rows_to_bytes,
)
from storage.maintenance.estimate import check_memory
from storage.maintenance.job_process import BuildStopped, JobProcess, Report
from storage.maintenance.verification import verify
from storage.phases import Phase
from storage.schema import BlockEntry, IndexFile, IndexKind, files_of
from storage.segments import (
    AGAIN,
    BlockView,
    SpaceView,
    TaskKind,
    Work,
    file_checksum,
    index_file,
    is_poor,
    open_with_codes,
    poor_index,
    wants_index,
)
from storage.write import Merged

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRun:
    """One run of `work` on a collection. `process` can stop it.

    `max_memory`: bytes that building the index may take; None: no bound.
    """

    collection: Collection
    work: Work
    process: JobProcess
    report: Report
    max_memory: int | None = None

    def tell(self, phase: Phase) -> None:
        self.report(Progress(phase))


@dataclass(frozen=True, slots=True)
class _Chosen:
    """A block that is worked on, by its entry in the manifest and its view, and the positions of its current rows."""

    entry: BlockEntry
    view: BlockView
    alive: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Output:
    """What a process writes in `folder`: the block with this uid, the index with this name, or both."""

    folder: Path
    block_uid: int | None = None
    index_name: str | None = None

    @property
    def files(self) -> list[Path]:
        names = [self.index_name] if self.index_name else []
        if self.block_uid is not None:
            names += [f"{self.block_uid}.vectors", f"{self.block_uid}.rows"]
        return [self.folder / name for name in names]


def run_task(run: TaskRun) -> int:
    """Does the work and publishes it; returns the bytes that it gave back.

    Raises BuildStopped (also when the collection or the blocks are gone), BuildTooLarge when the build needs more than
    `max_memory` bytes, or the error of the work.
    """
    space = _space_of(run)
    if space is None:
        raise BuildStopped
    try:
        if run.work.kind is TaskKind.BUILD and _is_verified(run, space):
            return 0
        if run.max_memory is not None and _gets_index(run, space):
            check_memory(space, [view for _, view in _blocks(run.work, space)], run.max_memory)
        return (_build if run.work.kind in (TaskKind.BUILD, TaskKind.REBUILD) else _merge)(run, space)
    except OSError as error:
        _stop_if_gone(run, space, error)
        raise failure(error, f"{run.work.kind.value} of blocks {run.work.blocks}") from error
    except EngineError as error:
        _stop_if_gone(run, space, error)
        raise


def _space_of(run: TaskRun) -> SpaceView | None:
    """The space of the work if it still has the blocks. Raises CollectionClosed."""
    for space in run.collection.spaces().values():
        uids = {view.block.uid for view in space.blocks}
        if space.schema.uid == run.work.space_uid and set(run.work.blocks) <= uids:
            return space
    return None


def _stop_if_gone(run: TaskRun, space: SpaceView, error: Exception) -> None:
    """Raises BuildStopped when `error` only means that the collection or the blocks were closed or dropped."""
    try:
        now = _space_of(run)
        gone = now is None or now.manifest.partition != space.manifest.partition
    except EngineError:
        gone = True
    if gone:
        raise BuildStopped from error


def _is_verified(run: TaskRun, space: SpaceView) -> bool:
    """Whether the block has an index already, which serves from now on."""
    [(entry, view)] = _blocks(run.work, space)
    if entry.index is not None:
        run.tell(Phase.CHECKING)
    if entry.index is None:
        return False
    return verify(run.collection, space.schema, entry, view, run.process.check)


def _build(run: TaskRun, space: SpaceView) -> int:
    [chosen] = _chosen(run, space)
    entry, folder = chosen.entry, chosen.view.block.path.parent
    if not len(chosen.alive):  # there is nothing to build an index of: the block goes
        return _merge(run, space)
    output = _Output(folder=folder, index_name=f"{entry.uid}.{run.collection.commit}.index")
    try:
        index = _write(run, space, [chosen], output)
        assert index is not None
        graph = open_with_codes(space.schema, folder, index, chosen.view.vectors, run.process.check)
        if graph is None:
            raise StorageFailed(f"{folder / index.name} changed after it was written")
        failpoint("build_publish")
        run.process.check()
        run.tell(Phase.PUBLISHING)
        if not run.collection.unseen.attach_index(run.work.space_uid, entry.uid, graph, index):
            raise BuildStopped
    except BaseException:
        _remove_unless_named(run, output)
        raise
    return 0


def _merge(run: TaskRun, space: SpaceView) -> int:
    chosen = _chosen(run, space)
    folder = chosen[0].view.block.path.parent
    before = sum((folder / name).stat().st_size for each in chosen for name in files_of(each.entry))
    sources = {each.entry.uid: each.alive for each in chosen}
    total = sum(map(len, sources.values()))
    if total == 0:
        _publish(run, Merged(sources=sources, entry=None, index=None))
        return before
    uid = run.collection.unseen.reserve_block(run.work.space_uid)
    if uid is None:
        raise BuildStopped
    name = f"{uid}.{run.collection.commit}.index" if _gets_index(run, space) else None
    output = _Output(folder=folder, block_uid=uid, index_name=name)
    try:
        index = _write(run, space, chosen, output)
        entry = BlockEntry(
            uid=uid,
            first_row=chosen[0].entry.first_row,
            count=total,
            end_row=chosen[-1].entry.end_row,
            rows_checksum=file_checksum(folder / f"{uid}.rows"),
            index=index,
        )
        graph = None
        if index is not None:
            bytes_of = map_bytes(folder / f"{uid}.vectors")
            vectors = bytes_of.view("<f4").reshape(-1, space.schema.size)[:total]
            graph = open_with_codes(space.schema, folder, index, vectors, run.process.check)
        failpoint("vacuum_publish" if run.work.kind is TaskKind.VACUUM else "merge_publish")
        run.process.check()
        _publish(run, Merged(sources=sources, entry=entry, index=graph))
    except BaseException:
        _remove_unless_named(run, output)
        raise
    return max(0, before - sum((folder / file).stat().st_size for file in files_of(entry)))


def _publish(run: TaskRun, merged: Merged) -> None:
    run.tell(Phase.PUBLISHING)
    if not run.collection.unseen.replace_blocks(run.work.space_uid, merged):
        raise BuildStopped


def _write(run: TaskRun, space: SpaceView, chosen: list[_Chosen], output: _Output) -> IndexFile | None:
    """Has the process write `output` from the current rows of the chosen blocks, synced. Returns the index for the
    manifest."""
    job = BuildJob(
        space=space.schema,
        sources=tuple(Source(path=each.view.block.path, count=each.view.count) for each in chosen),
        block=None if output.block_uid is None else output.folder / str(output.block_uid),
        index=None if output.index_name is None else output.folder / output.index_name,
        partition=None if output.index_name is None else _partition_of(space, output.folder),
        max_memory=run.max_memory,
        parent=os.getpid(),
    )
    rows = [_rows_of(run, space, each, copied=output.block_uid is not None) for each in chosen]
    built = run.process.run(job, rows_to_bytes(rows), run.report)
    run.tell(Phase.CHECKING)
    for file in output.files:
        sync_file(file)
    sync_folder(output.folder)
    if output.index_name is None:
        return None
    if built is None:
        raise StorageFailed("the build process did not report its index")
    checksum = file_checksum(output.folder / output.index_name)
    count = sum(len(each.alive) for each in chosen)
    index = index_file(space, name=output.index_name, checksum=checksum, rows=count, built=built)
    if is_poor(index):
        log.warning("%r: %s", run.collection.name, poor_index(space.schema, index))
    return index


def _rows_of(run: TaskRun, space: SpaceView, chosen: _Chosen, *, copied: bool) -> SourceRows:
    """The current rows of a block. `copied`: with their row numbers and checksums."""
    if not copied:
        return SourceRows(positions=chosen.alive)
    numbers = chosen.view.row_numbers(chosen.alive)
    return SourceRows(positions=chosen.alive, numbers=numbers, checksums=_checksums_of(run.collection, space, numbers))


def _checksums_of(collection: Collection, space: SpaceView, wanted: NDArray[np.int64]) -> NDArray[np.int64]:
    """Checksums of the vectors in the rows `wanted` of a space, UNKNOWN for rows that are not current any more."""
    with collection.snapshot() as snapshot:
        rows, checksums = snapshot.stored_rows(space.schema.uid)
    if not len(rows):
        return np.full(len(wanted), UNKNOWN, np.int64)
    order = np.argsort(rows)
    places = np.searchsorted(rows, wanted, sorter=order)
    found = order[np.minimum(places, len(order) - 1)]
    return np.where(rows[found] == wanted, checksums[found], UNKNOWN)


def _partition_of(space: SpaceView, folder: Path) -> StoredPartition | None:
    partition = space.manifest.partition
    if partition is None or space.schema.index is not IndexKind.IVF:
        return None
    return StoredPartition(path=folder / partition.name, checksum=partition.checksum)


def _gets_index(run: TaskRun, space: SpaceView) -> bool:
    """Whether the written block gets an index. Where indexes are made only on request, a vacuum adds none."""
    if run.work.kind is not TaskKind.VACUUM or run.collection.schema.auto_index:
        return wants_index(space.schema)
    return wants_index(space.schema) and any(entry.index is not None for entry, _ in _blocks(run.work, space))


def _blocks(work: Work, space: SpaceView) -> list[tuple[BlockEntry, BlockView]]:
    return [
        (entry, view)
        for entry, view in zip(space.manifest.blocks, space.blocks, strict=True)
        if entry.uid in work.blocks
    ]


def _chosen(run: TaskRun, space: SpaceView) -> list[_Chosen]:
    seq = run.collection.seq
    return [_Chosen(entry, view, _alive(view, seq)) for entry, view in _blocks(run.work, space)]


def _alive(view: BlockView, seq: int) -> NDArray[np.int64]:
    alive = view.alive(seq)
    return np.arange(view.count, dtype=np.int64) if alive is None else np.flatnonzero(alive).astype(np.int64)


def _remove_unless_named(run: TaskRun, output: _Output) -> None:
    """Removes the files of a failed task, unless a commit names them after all."""
    try:
        spaces = run.collection.spaces().values()
    except EngineError:
        return
    named = {
        name
        for space in spaces
        if space.schema.uid == run.work.space_uid
        for entry in space.manifest.blocks
        for name in files_of(entry)
    }
    for file in output.files:
        if file.name not in named:
            for path in (file, file.with_name(file.name + AGAIN), codes_file(file)):
                path.unlink(missing_ok=True)
