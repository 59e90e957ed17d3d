"""The process that writes blocks and graphs, run by task_process.py.

`python -m storage.maintenance.build_process JOB` has arrays on standard input.
It runs at low priority on one thread, prints its phases, and ends by itself when the process that started it is gone.
Every vector that it copies is compared with its checksum, so damage does not spread.
"""

import io
import json
import os
import sys
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from storage.collection import UNKNOWN
from storage.errors import CorruptStore
from storage.files import NO_ROOM, escape_what_cannot_be_encoded, failpoint
from storage.ivf import build_lists, read_partition
from storage.maintenance.estimate import estimate_build
from storage.maintenance.task_process import EXIT_CORRUPT, EXIT_FULL
from storage.schema import CollectionSchema, Datatype, DenseSpace, IndexKind
from storage.segments import BuiltIndex, build_graph, judge_lists

_LOWEST_PRIORITY = 19
_COPIED_AT_ONCE = 4096  # rows


def main() -> None:
    job = json.loads(sys.argv[1])
    os.nice(_LOWEST_PRIORITY)
    with np.load(io.BytesIO(sys.stdin.buffer.read())) as arrays:
        data = dict(arrays)
    space = CollectionSchema.from_json(job["schema"]).dense[""]
    positions = data["positions0"]
    vectors: NDArray[np.float32] = _map(job["sources"][0]["path"], job["sources"][0]["count"], space)
    if job["block"] is not None:
        block = Path(job["block"])
        _copy(job, data, space, block.with_suffix(".vectors"))
        rows = np.concatenate([data[f"rows{number}"] for number in range(len(job["sources"]))])
        block.with_suffix(".rows").write_bytes(rows.astype("<i8").tobytes())
        positions, vectors = np.arange(len(rows)), _map(block.with_suffix(".vectors"), len(rows), space)
    if job["index"] is not None and space.index is IndexKind.IVF:
        _build_lists(job, space, vectors, positions)
    elif job["index"] is not None:

        def report(done: int) -> None:
            _say(job, "building", done, len(positions))

        def fits(datatype: Datatype) -> bool:
            needed = estimate_build(replace(space, datatype=datatype), len(positions)).peak_bytes
            return job["max_memory"] is None or needed <= job["max_memory"]

        _tell(build_graph(space, vectors, positions, Path(job["index"]), report, fits))


def _tell(built: BuiltIndex) -> None:
    """The last line that is printed."""
    print("built", json.dumps(built.to_json()), flush=True)


def _build_lists(
    job: Mapping[str, Any], space: DenseSpace, vectors: NDArray[np.float32], positions: NDArray[np.int64]
) -> None:
    partition = None
    if job["partition"] is not None:
        try:
            partition = read_partition(Path(job["partition"]["path"]), job["partition"]["checksum"])
        except CorruptStore as error:
            print(f"{error.metadata['file']} 0", flush=True)
            sys.exit(EXIT_CORRUPT)

    def report(phase: str, done: int, total: int) -> None:
        _say(job, phase, done, total)

    build_lists(space, vectors, positions, Path(job["index"]), partition, report)
    _tell(judge_lists(space, vectors, positions, Path(job["index"])))


def _copy(job: Mapping[str, Any], data: Mapping[str, NDArray[Any]], space: DenseSpace, out: Path) -> None:
    """Writes the wanted rows of all sources, in order, to `out`."""
    total = sum(len(data[f"positions{number}"]) for number in range(len(job["sources"])))
    done = 0
    with out.open("wb") as file:
        for number, source in enumerate(job["sources"]):
            vectors = _map(source["path"], source["count"], space)
            for part, checksums in _chunks(data[f"positions{number}"], data[f"checksums{number}"]):
                rows = vectors[part]
                _check(source["path"], rows, part, checksums)
                file.write(rows.tobytes())
                done += len(part)
                _say(job, "copying", done, total)
                failpoint("merge_copy")


def _chunks(
    positions: NDArray[np.int64], checksums: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    for start in range(0, len(positions), _COPIED_AT_ONCE):
        yield positions[start : start + _COPIED_AT_ONCE], checksums[start : start + _COPIED_AT_ONCE]


def _check(path: str, rows: NDArray[np.float32], positions: NDArray[np.int64], checksums: NDArray[np.int64]) -> None:
    for position, row, checksum in zip(positions.tolist(), rows, checksums.tolist(), strict=True):
        if checksum != UNKNOWN and zlib.crc32(row) != checksum:
            print(f"{path} {position * row.nbytes}", flush=True)
            sys.exit(EXIT_CORRUPT)


def _map(path: str | Path, count: int, space: DenseSpace) -> NDArray[np.float32]:
    try:
        return np.memmap(path, "<f4", mode="r", shape=(count, space.size))
    except FileNotFoundError:
        sys.exit(f"{path} is gone: its space was dropped")


def _say(job: Mapping[str, Any], phase: str, done: int, total: int) -> None:
    if os.getppid() != job["parent"]:
        sys.exit("the server is gone")
    print(phase, done, total, flush=True)


def _is_full(error: OSError | RuntimeError) -> bool:
    """Whether there was no room for what was written; usearch does not say why it could not save."""
    if isinstance(error, OSError):
        return error.errno in NO_ROOM
    folder = os.path.dirname(json.loads(sys.argv[1])["sources"][0]["path"])
    return os.statvfs(folder).f_bavail == 0


if __name__ == "__main__":
    escape_what_cannot_be_encoded()
    try:
        main()
    except (OSError, RuntimeError) as error:
        if not _is_full(error):
            raise
        print(error, flush=True)
        sys.exit(EXIT_FULL)
