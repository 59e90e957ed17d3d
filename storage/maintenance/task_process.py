"""Running one task: what its process is given, what it reports, and the commit that publishes what it wrote."""

import io
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from storage.collection import Collection
from storage.errors import CorruptStore, EngineError, StorageFailed, StorageFull
from storage.files import failpoint, failure, sync_file, sync_folder
from storage.maintenance.estimate import check_memory
from storage.schema import BlockEntry, CollectionSchema, IndexFile, IndexKind, files_of
from storage.segments import (
    AGAIN,
    BlockView,
    BuiltIndex,
    SpaceView,
    TaskKind,
    Work,
    file_checksum,
    index_file,
    is_poor,
    open_index,
    poor_index,
    wants_index,
)
from storage.write import Merged

log = logging.getLogger(__name__)

PHASES = ("copying", "partitioning", "assigning", "building", "checking")
"""What a process says of its progress."""

Report = Callable[..., None]
"""Called with what changed of a task: phase, done, total."""

# Exit codes of the process, besides 0 and signals.
EXIT_CORRUPT = 4
EXIT_FULL = 5


class BuildStopped(Exception):
    """The task was cancelled or its collection is being closed."""


class JobProcess:
    """The process of a task, which may be stopped from another thread at any time. `max_memory`: see run_task."""

    def __init__(self) -> None:
        self.max_memory: int | None = None
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped = False

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            if self._process is not None:
                self._process.kill()

    def check(self) -> None:
        if self._stopped:
            raise BuildStopped

    def run(self, job: dict[str, object], data: bytes, report: Report) -> str:
        """Runs `python -m storage.maintenance.build_process` and returns the last line it printed.

        Raises BuildStopped, CorruptStore, StorageFull, or StorageFailed with why it ended.
        """
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OMP_NUM_THREADS": "1"}
        with self._lock:
            self.check()
            self._process = process = subprocess.Popen(
                [sys.executable, "-m", "storage.maintenance.build_process", json.dumps(job)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=environment,
            )
        try:
            return _converse(process, data, report, self.check)
        finally:
            with self._lock:
                process.kill()
                process.wait()
                self._process = None


def _converse(
    process: "subprocess.Popen[bytes]", data: bytes, report: Report, check_stopped: Callable[[], None]
) -> str:
    assert process.stdin is not None
    assert process.stdout is not None
    last = ""
    with process.stdin, process.stdout:
        try:
            process.stdin.write(data)
            process.stdin.close()
        except BrokenPipeError:
            pass  # it died; its exit code tells why
        for raw in process.stdout:
            last = raw.decode().strip()
            word, *numbers = last.split()
            if word in PHASES:
                report(phase=word, done=int(numbers[0]), total=int(numbers[1]))
    code = process.wait()
    check_stopped()
    if code == EXIT_CORRUPT:
        file, offset = last.rsplit(" ", 1)
        raise CorruptStore(file, int(offset), "the vector does not have its checksum")
    if code == EXIT_FULL:
        raise StorageFull(f"no space left on the device: {last}")
    if code != 0:
        raise StorageFailed(f"the build process ended with status {code}")
    return last


def run_task(
    collection: Collection, work: Work, process: JobProcess, report: Report, *, max_memory: int | None = None
) -> int:
    """Does `work` and publishes it; returns the bytes it gave back.

    Raises BuildStopped, also when the collection or the blocks went away meanwhile, BuildTooLarge when it would take
    more than `max_memory` bytes, or why it failed.
    """
    space = _space_of(collection, work)
    if space is None:
        raise BuildStopped
    process.max_memory = max_memory
    if max_memory is not None and _gets_index(collection, space, work):
        check_memory(space, [view for _, view in _chosen(space, work)], max_memory)
    try:
        return _run_on(collection, space, work, process, report)
    except OSError as error:
        _stop_if_gone(collection, space, work, error)
        raise failure(error, f"{work.kind.value} of blocks {work.blocks}") from error
    except EngineError as error:
        _stop_if_gone(collection, space, work, error)
        raise


def _run_on(collection: Collection, space: SpaceView, work: Work, process: JobProcess, report: Report) -> int:
    if work.kind in (TaskKind.BUILD, TaskKind.REBUILD):
        return _build(collection, space, work, process, report)
    return _merge(collection, space, work, process, report)


def _space_of(collection: Collection, work: Work) -> SpaceView | None:
    """The space of `work` if it still has the blocks. Raises CollectionClosed."""
    for space in collection.spaces().values():
        if space.schema.uid == work.space_uid and set(work.blocks) <= {view.block.uid for view in space.blocks}:
            return space
    return None


def _stop_if_gone(collection: Collection, space: SpaceView, work: Work, error: Exception) -> None:
    """Raises BuildStopped when `error` is not the work's fault: what it worked on, or by, was closed or dropped."""
    try:
        now = _space_of(collection, work)
        gone = now is None or now.manifest.partition != space.manifest.partition
    except EngineError:
        gone = True
    if gone:
        raise BuildStopped from error


def _build(collection: Collection, space: SpaceView, work: Work, process: JobProcess, report: Report) -> int:
    [(entry, view)] = _chosen(space, work)
    if work.kind is TaskKind.BUILD and entry.index is not None:
        report(phase="checking")
        graph = open_index(space.schema, view.block.path.parent, entry.index)
        if graph is not None:
            collection.show_graph(work.space_uid, entry.uid, graph, entry.index)
            return 0
    positions = _alive(view, collection.seq)
    if not len(positions):  # there is nothing to build an index of: the block goes
        return _merge(collection, space, work, process, report)
    folder = view.block.path.parent
    name = f"{entry.uid}.{collection.commit}.index"
    try:
        index = _run(collection, space, process, report, sources=[(view, positions)], folder=folder, index_name=name)
        assert index is not None
        graph = open_index(space.schema, folder, index)
        if graph is None:
            raise StorageFailed(f"{folder / name} changed after it was written")
        failpoint("build_publish")
        process.check()
        report(phase="publishing")
        if not collection.attach_graph(work.space_uid, entry.uid, graph, index):
            raise BuildStopped
    except BaseException:
        _remove_unless_named(collection, work.space_uid, folder, [name])
        raise
    return 0


def _merge(collection: Collection, space: SpaceView, work: Work, process: JobProcess, report: Report) -> int:
    chosen = _chosen(space, work)
    folder = chosen[0][1].block.path.parent
    sources = {entry.uid: _alive(view, collection.seq) for entry, view in chosen}
    before = sum((folder / name).stat().st_size for entry, _ in chosen for name in files_of(entry))
    total = sum(map(len, sources.values()))
    if total == 0:
        return _publish(collection, work, Merged(sources=sources, entry=None, graph=None), report) and before
    uid = collection.reserve_block(work.space_uid)
    if uid is None:
        raise BuildStopped
    entry = BlockEntry(uid=uid, first_row=chosen[0][0].first_row, count=total, end_row=chosen[-1][1].end_row)
    entry = replace(entry, rows_checksum=0)  # its file is written by the process
    name = f"{uid}.{collection.commit}.index"
    try:
        index = _run(
            collection,
            space,
            process,
            report,
            sources=[(view, sources[source.uid]) for source, view in chosen],
            folder=folder,
            index_name=name if _gets_index(collection, space, work) else None,
            block_uid=uid,
        )
        entry = replace(entry, rows_checksum=file_checksum(folder / f"{uid}.rows"), index=index)
        graph = None if index is None else open_index(space.schema, folder, index)
        failpoint("vacuum_publish" if work.kind is TaskKind.VACUUM else "merge_publish")
        process.check()
        _publish(collection, work, Merged(sources=sources, entry=entry, graph=graph), report)
    except BaseException:
        _remove_unless_named(collection, work.space_uid, folder, [f"{uid}.vectors", f"{uid}.rows", name])
        raise
    return max(0, before - sum((folder / file).stat().st_size for file in files_of(entry)))


def _publish(collection: Collection, work: Work, merged: Merged, report: Report) -> bool:
    report(phase="publishing")
    if not collection.replace_blocks(work.space_uid, merged):
        raise BuildStopped
    return True


def _run(
    collection: Collection,
    space: SpaceView,
    process: JobProcess,
    report: Report,
    *,
    sources: list[tuple[BlockView, NDArray[np.int64]]],
    folder: Path,
    index_name: str | None,
    block_uid: int | None = None,
) -> IndexFile | None:
    """Has the process write a block (when `block_uid` is given) and a graph (when `index_name` is), synced."""
    job: dict[str, object] = {
        "schema": CollectionSchema(spaces={"": space.schema}).to_json(),
        "sources": [{"path": str(view.block.path), "count": view.count} for view, _ in sources],
        "block": None if block_uid is None else str(folder / str(block_uid)),
        "index": None if index_name is None else str(folder / index_name),
        "partition": _partition_of(space, folder) if index_name is not None else None,
        "max_memory": process.max_memory,
        "parent": os.getpid(),
    }
    arrays: dict[str, Any] = {}
    for number, (view, positions) in enumerate(sources):
        arrays[f"positions{number}"] = positions
        if block_uid is not None:
            arrays[f"rows{number}"] = view.row_numbers(positions)
            arrays[f"checksums{number}"] = collection.checksums_of(space, view, positions)
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    said = process.run(job, buffer.getvalue(), report)
    report(phase="checking")
    files = [folder / index_name] if index_name is not None else []
    files += [folder / f"{block_uid}.{kind}" for kind in ("vectors", "rows")] if block_uid is not None else []
    for file in files:
        sync_file(file)
    sync_folder(folder)
    if index_name is None:
        return None
    rows = sum(len(positions) for _, positions in sources)
    checksum = file_checksum(folder / index_name)
    built = BuiltIndex(**json.loads(said.removeprefix("built ")))
    index = index_file(space, name=index_name, checksum=checksum, rows=rows, built=built)
    if is_poor(index):
        log.warning("%r: %s", collection.name, poor_index(space.schema, index))
    return index


def _partition_of(space: SpaceView, folder: Path) -> dict[str, object] | None:
    partition = space.manifest.partition
    if partition is None or space.schema.index is not IndexKind.IVF:
        return None
    return {"path": str(folder / partition.name), "checksum": partition.checksum}


def _gets_index(collection: Collection, space: SpaceView, work: Work) -> bool:
    """Whether what `work` writes gets an index. Where indexes wait to be asked for, a vacuum makes none anew."""
    if work.kind is not TaskKind.VACUUM or collection.schema.auto_index:
        return wants_index(space.schema)
    return wants_index(space.schema) and any(entry.index is not None for entry, _ in _chosen(space, work))


def _chosen(space: SpaceView, work: Work) -> list[tuple[BlockEntry, BlockView]]:
    return [
        (entry, view)
        for entry, view in zip(space.manifest.blocks, space.blocks, strict=True)
        if entry.uid in work.blocks
    ]


def _alive(view: BlockView, seq: int) -> NDArray[np.int64]:
    alive = view.alive(seq)
    return np.arange(view.count, dtype=np.int64) if alive is None else np.flatnonzero(alive).astype(np.int64)


def _remove_unless_named(collection: Collection, space_uid: int, folder: Path, names: list[str]) -> None:
    """Removes what a failed task wrote. What a commit named after all stays."""
    try:
        spaces = collection.spaces().values()
    except EngineError:
        return
    named = {
        name for space in spaces if space.schema.uid == space_uid for e in space.manifest.blocks for name in files_of(e)
    }
    for name in set(names) - named:
        (folder / name).unlink(missing_ok=True)
        (folder / (name + AGAIN)).unlink(missing_ok=True)
