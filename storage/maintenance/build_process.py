"""The process that writes blocks and indexes, started by job_process.py.

`python -m storage.maintenance.build_process JOB` reads rows from standard input; build_job.py has their format. It runs
on one thread at low priority, reports its phases, and ends when the process that started it is gone. It compares each
vector that it copies with its checksum, so that damage does not spread.
"""

import os
import sys
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from storage.errors import CorruptStore
from storage.files import NO_ROOM, escape_what_cannot_be_encoded, failpoint
from storage.ivf import build_lists, read_partition
from storage.maintenance.build_job import (
    UNKNOWN,
    BuildJob,
    Built,
    Damaged,
    DiskFull,
    Progress,
    Reply,
    SourceRows,
    reply_to_json,
    rows_from_bytes,
)
from storage.maintenance.estimate import estimate_build
from storage.phases import Phase
from storage.schema import Datatype, DenseSpace, IndexKind
from storage.segments import BuiltIndex, build_graph, judge_lists

_LOWEST_PRIORITY = 19
_COPIED_AT_ONCE = 4096  # rows


class _FoundDamage(Exception):
    def __init__(self, damage: Damaged) -> None:
        self.damage = damage


def main(job: BuildJob) -> None:
    os.nice(_LOWEST_PRIORITY)
    rows = rows_from_bytes(sys.stdin.buffer.read(), len(job.sources))
    if job.block is None:
        positions, vectors = rows[0].positions, _map(job.sources[0].path, job.sources[0].count, job.space)
    else:
        positions, vectors = _write_block(job, job.block, rows)
    if job.index is not None:
        build = _build_lists if job.space.index is IndexKind.IVF else _build_graph
        _say(Built(build(job, job.index, vectors, positions)))


def _build_graph(job: BuildJob, path: Path, vectors: NDArray[np.float32], positions: NDArray[np.int64]) -> BuiltIndex:
    def report(done: int) -> None:
        _tell(job, Phase.BUILDING, done, len(positions))

    def fits(datatype: Datatype) -> bool:
        needed = estimate_build(replace(job.space, datatype=datatype), len(positions)).peak_bytes
        return job.max_memory is None or needed <= job.max_memory

    return build_graph(job.space, vectors, positions, path, report, fits)


def _build_lists(job: BuildJob, path: Path, vectors: NDArray[np.float32], positions: NDArray[np.int64]) -> BuiltIndex:
    partition = None
    if job.partition is not None:
        try:
            partition = read_partition(job.partition.path, job.partition.checksum)
        except CorruptStore as error:
            raise _FoundDamage(Damaged(error.metadata["file"], 0)) from None

    def report(phase: Phase, done: int, total: int) -> None:
        _tell(job, phase, done, total)

    build_lists(job.space, vectors, positions, path, partition, report)
    return judge_lists(job.space, vectors, positions, path)


def _write_block(
    job: BuildJob, block: Path, rows: Sequence[SourceRows]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Writes the files of a block with the wanted rows of all sources, in order. Returns its positions and vectors."""
    vectors = block.with_suffix(".vectors")
    _copy(job, rows, vectors)
    numbers = np.concatenate([each.numbers for each in rows if each.numbers is not None])
    block.with_suffix(".rows").write_bytes(numbers.astype("<i8").tobytes())
    return np.arange(len(numbers)), _map(vectors, len(numbers), job.space)


def _copy(job: BuildJob, rows: Sequence[SourceRows], out: Path) -> None:
    total = sum(len(each.positions) for each in rows)
    done = 0
    with out.open("wb") as file:
        for source, wanted in zip(job.sources, rows, strict=True):
            vectors = _map(source.path, source.count, job.space)
            for positions, checksums in _chunks(wanted):
                copied = vectors[positions]
                _check(source.path, copied, positions, checksums)
                file.write(copied.tobytes())
                done += len(positions)
                _tell(job, Phase.COPYING, done, total)
                failpoint("merge_copy")


def _chunks(rows: SourceRows) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Positions and checksums, a few thousand at a time. Requires: rows of a block that is written."""
    assert rows.checksums is not None
    for start in range(0, len(rows.positions), _COPIED_AT_ONCE):
        chunk = slice(start, start + _COPIED_AT_ONCE)
        yield rows.positions[chunk], rows.checksums[chunk]


def _check(path: Path, rows: NDArray[np.float32], positions: NDArray[np.int64], checksums: NDArray[np.int64]) -> None:
    for position, row, checksum in zip(positions.tolist(), rows, checksums.tolist(), strict=True):
        if checksum != UNKNOWN and zlib.crc32(row) != checksum:
            raise _FoundDamage(Damaged(str(path), position * row.nbytes))


def _map(path: Path, count: int, space: DenseSpace) -> NDArray[np.float32]:
    return np.memmap(path, "<f4", mode="r", shape=(count, space.size))


def _tell(job: BuildJob, phase: Phase, done: int, total: int) -> None:
    """Reports progress, unless nobody listens any more."""
    if os.getppid() != job.parent:
        sys.exit("the server ended")
    _say(Progress(phase, done, total))


def _say(reply: Reply) -> None:
    """Tells the server, unless it ended meanwhile. Then nobody waits for the build, and it ends too."""
    try:
        print(reply_to_json(reply), flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is flushed at the end finds a reader
        sys.exit("the server ended")


def _is_full(error: OSError | RuntimeError, job: BuildJob) -> bool:
    """Whether there was no room to write. usearch does not say why saving failed."""
    if isinstance(error, OSError):
        return error.errno in NO_ROOM
    return os.statvfs(job.sources[0].path.parent).f_bavail == 0


def _run(job: BuildJob) -> None:
    """Does the job. Reports the faults that a retry depends on; the exit status tells of others."""
    try:
        main(job)
    except _FoundDamage as found:
        _say(found.damage)
    except (OSError, RuntimeError) as error:
        if not job.sources[0].path.exists():
            sys.exit(f"{job.sources[0].path} does not exist any more: its space was dropped")
        if not _is_full(error, job):
            raise
        _say(DiskFull(str(error)))


if __name__ == "__main__":
    escape_what_cannot_be_encoded()
    _run(BuildJob.from_json(sys.argv[1]))
