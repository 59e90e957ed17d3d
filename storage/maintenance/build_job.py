"""The messages between a task (task_process.py) and the process that writes blocks and indexes for it.

The job is an argument of the process, the rows are its standard input, and its replies are lines of its standard
output: `Progress` from time to time, and the result at the end. A process that only copied a block sends no result.
"""

import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from storage.phases import Phase
from storage.schema import CollectionSchema, DenseSpace
from storage.segments import BuiltIndex

UNKNOWN = -1
"""Replaces the checksum of a vector that is not current."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A block whose rows are read: its file, and the number of rows in it."""

    path: Path
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPartition:
    """The file of the partition that lists are built by, and its checksum."""

    path: Path
    checksum: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildJob:
    """What to write: a block with the rows of all `sources`, an index in the file `index`, or both.

    `block`: the path of the block's files without their endings. `max_memory`: bytes that building the index may take;
    None: no bound. The process ends as soon as its parent is not the process `parent` any more.
    """

    space: DenseSpace
    sources: tuple[Source, ...]
    block: Path | None
    index: Path | None
    partition: StoredPartition | None
    max_memory: int | None
    parent: int

    def to_json(self) -> str:
        return json.dumps(
            {
                "space": CollectionSchema(spaces={"": self.space}).to_json(),
                "sources": [asdict(source) for source in self.sources],
                "block": self.block,
                "index": self.index,
                "partition": None if self.partition is None else asdict(self.partition),
                "max_memory": self.max_memory,
                "parent": self.parent,
            },
            default=str,  # paths
        )

    @classmethod
    def from_json(cls, text: str) -> "BuildJob":
        job: dict[str, Any] = json.loads(text)
        stored = job["partition"]
        return cls(
            space=CollectionSchema.from_json(job["space"]).dense[""],
            sources=tuple(Source(path=Path(each["path"]), count=each["count"]) for each in job["sources"]),
            block=None if job["block"] is None else Path(job["block"]),
            index=None if job["index"] is None else Path(job["index"]),
            partition=stored and StoredPartition(path=Path(stored["path"]), checksum=stored["checksum"]),
            max_memory=job["max_memory"],
            parent=job["parent"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRows:
    """The rows that are taken from a source: their positions in it (int64, ascending).

    When a block is written, also their row numbers in the space and their checksums (UNKNOWN for rows that are not
    current any more). Otherwise both are None.
    """

    positions: NDArray[np.int64]
    numbers: NDArray[np.int64] | None = None
    checksums: NDArray[np.int64] | None = None


def rows_to_bytes(sources: Sequence[SourceRows]) -> bytes:
    """The rows of each source of a job, in their order."""
    arrays: dict[str, Any] = {}
    for number, rows in enumerate(sources):
        arrays[f"positions{number}"] = rows.positions
        if rows.numbers is not None and rows.checksums is not None:
            arrays[f"numbers{number}"], arrays[f"checksums{number}"] = rows.numbers, rows.checksums
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def rows_from_bytes(data: bytes, count: int) -> tuple[SourceRows, ...]:
    """The rows of `count` sources."""
    with np.load(io.BytesIO(data)) as file:
        arrays = dict(file)
    return tuple(
        SourceRows(
            positions=arrays[f"positions{number}"],
            numbers=arrays.get(f"numbers{number}"),
            checksums=arrays.get(f"checksums{number}"),
        )
        for number in range(count)
    )


@dataclass(frozen=True, slots=True)
class Progress:
    """The phase, and how many of its rows are done. None: unchanged."""

    kind: ClassVar[str] = "progress"
    phase: Phase
    done: int | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Built:
    """The index was written."""

    kind: ClassVar[str] = "built"
    index: BuiltIndex


@dataclass(frozen=True, slots=True)
class Damaged:
    """A file that was read is damaged at a byte offset."""

    kind: ClassVar[str] = "damaged"
    file: str
    offset: int


@dataclass(frozen=True, slots=True)
class DiskFull:
    """There was no room for the files."""

    kind: ClassVar[str] = "disk full"
    reason: str


Reply = Progress | Built | Damaged | DiskFull


def reply_to_json(reply: Reply) -> str:
    match reply:
        case Progress(phase, done, total):
            values: dict[str, Any] = {"phase": phase.value, "done": done, "total": total}
        case Built(index):
            values = {"index": index.to_json()}
        case Damaged() | DiskFull():
            values = asdict(reply)
    return json.dumps({"kind": reply.kind, **values})


def reply_from_json(line: str) -> Reply | None:
    """The reply in a line; None for any other line, since a library may also print text."""
    try:
        match json.loads(line):
            case {"kind": Progress.kind, "phase": phase, "done": done, "total": total}:
                return Progress(Phase(phase), done, total)
            case {"kind": Built.kind, "index": index}:
                return Built(BuiltIndex.from_json(index))
            case {"kind": Damaged.kind, "file": file, "offset": offset}:
                return Damaged(file, offset)
            case {"kind": DiskFull.kind, "reason": reason}:
                return DiskFull(reason)
    except ValueError:
        pass
    return None
