"""Verifies a whole data directory, offline: `python -m storage.check DIR`. Repairs nothing.

It checks that ids, slots, rows, stored points, vectors and graphs agree, and that all checksums hold, also in snapshot
files. Exit status 0: sound; 1: damaged; 2: it could not be checked.
"""

import argparse
import sys
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import lmdb
import numpy as np
from numpy.typing import NDArray

from storage.backup import snapshot_path, verify_archive
from storage.budget import UNLIMITED
from storage.errors import CorruptStore, EngineError
from storage.files import FolderLock, check_directory, escape_what_cannot_be_encoded, is_data_directory
from storage.ivf import read_partition
from storage.schema import (
    SIGNS_OF_DAMAGE,
    BlockEntry,
    DenseSpace,
    Manifest,
    MultiSpace,
    PartitionFile,
    SpaceSchema,
    SparseSpace,
    unfit,
)
from storage.segments import file_checksum, read_row_numbers
from storage.tables import (
    IdTable,
    Tables,
    check_format,
    decode_row,
    decode_slot,
    decode_vector,
    get_schema,
    get_space,
    get_state,
    open_read_only,
    read_catalog,
    record_parts,
)
from storage.vectors import SparseVector, decode_tokens

_ROWS_AT_ONCE = 4096
_UNREADABLE = b""  # stands for the id key of a damaged point

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong: where it is, and whether it can be rebuilt from sound data."""

    file: Path
    message: str
    derived: bool = False

    def __str__(self) -> str:
        kind = "derived data, it will be rebuilt" if self.derived else "ORIGINAL DATA"
        return f"{self.file}: {self.message} ({kind})"


@dataclass(slots=True)
class Report:
    """What was looked at, and what was wrong."""

    problems: list[Problem]
    collections: int = 0
    points: int = 0
    vectors: int = 0

    @property
    def sound(self) -> bool:
        return not self.problems


def check(folder: Path, progress: Progress = lambda line: None) -> Report:
    """Verifies the data directory `folder`.

    Raises StorageFailed when a process has it open, OSError when it cannot be read, and UnknownFormat or CorruptStore
    when the damage hides what the directory should hold.
    """
    lock = FolderLock(folder)
    try:
        check_directory(folder)
        report = Report(problems=[])
        content = read_catalog(folder / "catalog")
        for number, each in enumerate(content.collections, 1):
            progress(f"collection {number} of {len(content.collections)}: {each.name!r}")
            _check_collection(folder / "collections" / each.uid, report, progress)
        for number, entry in enumerate(content.snapshots, 1):
            progress(f"snapshot {number} of {len(content.snapshots)}: {entry.name!r} of {entry.collection!r}")
            report.problems += _check_snapshot(snapshot_path(folder / "snapshots", entry.uid))
        return report
    finally:
        lock.release()


def _check_collection(path: Path, report: Report, progress: Progress) -> None:
    data = path / "lmdb" / "data.mdb"
    report.collections += 1
    if not data.exists():
        report.problems.append(Problem(data, "the file is missing"))
        return
    try:
        env = open_read_only(path / "lmdb")
    except EngineError as error:
        report.problems.append(Problem(data, error.message))
        return
    try:
        with env.begin(buffers=True) as txn:
            _check_transaction(env, txn, path, report, progress)
    except (lmdb.Error, EngineError) as error:
        report.problems.append(Problem(data, f"{type(error).__name__}: {error}"))
    except SIGNS_OF_DAMAGE as error:
        report.problems.append(Problem(data, unfit(error)))
    finally:
        env.close()


def _check_transaction(
    env: lmdb.Environment, txn: lmdb.Transaction, path: Path, report: Report, progress: Progress
) -> None:
    data = path / "lmdb" / "data.mdb"
    tables = Tables(
        meta=env.open_db(b"meta", txn=txn, create=False),
        ids=env.open_db(b"ids", txn=txn, create=False),
        points=env.open_db(b"points", txn=txn, create=False),
    )
    check_format(txn, tables, path / "lmdb")
    state = get_state(txn, tables)
    schema, _ = get_schema(txn, tables)
    progress(f"  {state.point_count:,} points")
    slots, problems = _check_points(txn, tables, state.next_slot)
    problems += _check_ids(txn, tables, slots)
    if len(slots) != state.point_count:
        problems.append(f"the counter says {state.point_count:,} points, but {len(slots):,} are stored")
    report.points += len(slots)
    report.problems += [Problem(data, message) for message in problems]
    opened = _Opened(path, env, txn, tables, report, progress)
    for name, space in schema.spaces.items():
        _check_space(opened, name, space, slots)


@dataclass(frozen=True, slots=True)
class _Opened:
    """A collection in `path` under one transaction, and the callbacks that take what is found."""

    path: Path
    env: lmdb.Environment
    txn: lmdb.Transaction
    tables: Tables
    report: Report
    progress: Progress

    def table(self, name: str) -> lmdb._Database:
        return self.env.open_db(name.encode(), txn=self.txn, create=False)

    def tell(self, space: str, messages: Iterable[str]) -> None:
        """Reports the problems of a space that lie in LMDB."""
        data = self.path / "lmdb" / "data.mdb"
        self.report.problems += [Problem(data, f"space {space!r}: {message}") for message in messages]


def _check_space(opened: _Opened, name: str, space: SpaceSchema, slots: dict[int, bytes]) -> None:
    match space:
        case DenseSpace():
            _check_row_space(opened, name, space, slots)
        case MultiSpace(tokens=tokens):
            owners, messages = _check_tokens(opened.txn, opened.table(f"records:{space.uid}"), slots)
            opened.tell(name, messages)
            stored = _check_row_space(opened, name, tokens, owners)
            if stored != len(owners):
                opened.tell(name, [f"points own {len(owners):,} rows of tokens, but {stored:,} are stored"])
        case SparseSpace():
            table = opened.table(f"records:{space.uid}")
            count = opened.txn.stat(table)["entries"]
            opened.progress(f"  space {name!r}: {count:,} sparse vectors")
            opened.tell(name, _check_sparse(opened.txn, table, slots))
            opened.report.vectors += count


def _check_row_space(opened: _Opened, name: str, space: DenseSpace, owners: Collection[int]) -> int:
    """Checks the rows of a space and their files. Each row must belong to one of `owners`. Returns the number of
    rows."""
    txn = opened.txn
    manifest, row_count = get_space(txn, opened.tables, space.uid)
    opened.progress(f"  space {name!r}: {row_count:,} rows in {len(manifest.blocks)} blocks")
    rows, checksums, messages = _check_rows(txn, opened.table(f"rows:{space.uid}"), owners, row_count)
    opened.tell(name, messages)
    opened.report.vectors += len(rows)
    folder = opened.path / "spaces" / str(space.uid)
    opened.report.problems += _check_blocks(folder, space, manifest, row_count, rows, checksums)
    return len(rows)


def _check_tokens(txn: lmdb.Transaction, table: lmdb._Database, slots: dict[int, bytes]) -> tuple[set[int], list[str]]:
    """Returns the rows that hold tokens of multi-vectors, and the problems of the table that lists them."""
    tokens: set[int] = set()
    problems = []
    with txn.cursor(table) as cursor:
        for key, value in cursor:
            slot = decode_slot(key)
            if slot not in slots:
                problems.append(f"slot {slot} has a vector and no point")
            try:
                first, count = decode_tokens(decode_vector(memoryview(value)))
            except ValueError as error:
                problems.append(f"the vector of slot {slot}: {error}")
                continue
            if count == 0 or not tokens.isdisjoint(range(first, first + count)):
                problems.append(f"slot {slot} has no rows, or shares rows with another slot")
            tokens.update(range(first, first + count))
    return tokens, problems


def _check_sparse(txn: lmdb.Transaction, table: lmdb._Database, slots: dict[int, bytes]) -> Iterator[str]:
    """Yields the problems of the vectors of a sparse space."""
    with txn.cursor(table) as cursor:
        for key, value in cursor:
            slot = decode_slot(key)
            if slot not in slots:
                yield f"slot {slot} has a vector and no point"
            try:
                SparseVector.from_bytes(decode_vector(memoryview(value)))
            except ValueError as error:
                yield f"the vector of slot {slot}: {error}"


def _check_points(txn: lmdb.Transaction, tables: Tables, next_slot: int) -> tuple[dict[int, bytes], list[str]]:
    """Returns the id key of every slot, and the problems of the table of points."""
    slots: dict[int, bytes] = {}
    problems = []
    with txn.cursor(tables.points) as cursor:
        for key, value in cursor:
            slot = decode_slot(key)
            try:
                slots[slot] = bytes(record_parts(memoryview(value))[1])
            except ValueError as error:
                slots[slot] = _UNREADABLE
                problems.append(f"point in slot {slot}: {error}")
            if slot >= next_slot:
                problems.append(f"slot {slot} was never given out (next is {next_slot})")
    return slots, problems


def _check_ids(txn: lmdb.Transaction, tables: Tables, slots: dict[int, bytes]) -> list[str]:
    problems = []
    seen = set()
    for key, slot in IdTable(txn, tables.ids).scan():
        seen.add(slot)
        if slots.get(slot) not in (key, _UNREADABLE):
            problems.append(f"id {key!r} names slot {slot}, which belongs to {slots.get(slot)!r}")
    problems += [f"the point in slot {slot} has no entry in the table of ids" for slot in slots if slot not in seen]
    return problems


def _check_rows(
    txn: lmdb.Transaction, table: lmdb._Database, owners: Collection[int], row_count: int
) -> tuple[NDArray[np.int64], NDArray[np.uint32], list[str]]:
    """Returns the current rows, ascending, their checksums, and the problems of the table."""
    pairs = []
    problems = []
    last = -1
    with txn.cursor(table) as cursor:
        for key, value in cursor:
            slot, (row, checksum) = decode_slot(key), decode_row(value)
            if slot <= last:
                problems.append(f"slot {slot} comes after slot {last}")
            last = slot
            if slot not in owners:
                problems.append(f"slot {slot} has a vector and no point")
            if row >= row_count:
                problems.append(f"slot {slot} names row {row} of {row_count}")
            else:
                pairs.append((row, checksum))
    pairs.sort()
    rows = np.array([row for row, _ in pairs], np.int64)
    if len(np.unique(rows)) != len(rows):
        problems.append("two slots name one row")
    return rows, np.array([checksum for _, checksum in pairs], np.uint32), problems


def _check_blocks(
    folder: Path,
    space: DenseSpace,
    manifest: Manifest,
    row_count: int,
    rows: NDArray[np.int64],
    checksums: NDArray[np.uint32],
) -> Iterator[Problem]:
    free_from = 0
    for entry in manifest.blocks:
        count = entry.count if entry.count is not None else row_count - entry.first_row
        end_row = entry.end_row if entry.end_row is not None else row_count
        path = folder / f"{entry.uid}.vectors"
        if entry.first_row < free_from or end_row - entry.first_row < count:
            yield Problem(path, f"rows {entry.first_row} to {end_row} overlap another block or hold less than {count}")
        free_from = end_row
        size = path.stat().st_size if path.exists() else 0
        if size < count * space.size * 4:
            yield Problem(path, f"the file ends at byte {size:,}: {count:,} rows are committed")
            continue
        low, high = np.searchsorted(rows, (entry.first_row, end_row))
        yield from _check_block(folder, entry, count, space, rows[low:high], checksums[low:high])
        yield from _check_index(folder, entry)
    if manifest.partition is not None:
        yield from _check_partition(folder, manifest.partition)


def _check_block(
    folder: Path,
    entry: BlockEntry,
    count: int,
    space: DenseSpace,
    rows: NDArray[np.int64],
    checksums: NDArray[np.uint32],
) -> Iterator[Problem]:
    """Compares the vectors of the current `rows` of a block with their checksums."""
    path = folder / f"{entry.uid}.vectors"
    positions = rows - entry.first_row
    if entry.rows_checksum is not None:
        try:
            numbers = read_row_numbers(folder, entry)
        except CorruptStore as error:
            yield Problem(folder / f"{entry.uid}.rows", error.message)
            return
        positions = np.searchsorted(numbers, rows)
        if len(numbers) != count or (np.diff(numbers) <= 0).any() or not np.isin(rows, numbers).all():
            yield Problem(folder / f"{entry.uid}.rows", "its row numbers do not ascend, or current rows are missing")
            return
    if count:
        vectors = np.memmap(path, "<f4", mode="r", shape=(count, space.size))
        yield from _check_vectors(path, vectors, positions, checksums)


def _check_vectors(
    path: Path, vectors: NDArray[np.float32], positions: NDArray[np.int64], checksums: NDArray[np.uint32]
) -> Iterator[Problem]:
    row_bytes = vectors.shape[1] * 4
    for start in range(0, len(positions), _ROWS_AT_ONCE):
        part = positions[start : start + _ROWS_AT_ONCE]
        for position, vector, checksum in zip(
            part.tolist(), vectors[part], checksums[start : start + _ROWS_AT_ONCE].tolist(), strict=True
        ):
            if zlib.crc32(vector) != checksum:
                yield Problem(path, f"the vector at byte {position * row_bytes:,} does not match its checksum")
            elif not np.isfinite(vector).all():
                yield Problem(path, f"the vector at byte {position * row_bytes:,} is not finite")


def _check_partition(folder: Path, partition: PartitionFile) -> Iterator[Problem]:
    try:
        read_partition(folder / partition.name, partition.checksum)
    except CorruptStore as error:
        yield Problem(folder / partition.name, error.message)


def _check_index(folder: Path, entry: BlockEntry) -> Iterator[Problem]:
    if entry.index is None:
        return
    path = folder / entry.index.name
    if not path.exists():
        yield Problem(path, "the file is missing", derived=True)
    elif file_checksum(path) != entry.index.checksum:
        yield Problem(path, "the file does not match its checksum", derived=True)


def _check_snapshot(path: Path) -> Iterator[Problem]:
    try:
        verify_archive(path, UNLIMITED)
    except EngineError as error:
        yield Problem(path, error.message)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m storage.check", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, metavar="DIR", help="the data directory of a server that is not running")
    parser.add_argument("--quiet", action="store_true", help="no progress, only the result")
    options = parser.parse_args(arguments)
    if not is_data_directory(options.folder):
        print(f"{options.folder} is not a data directory", file=sys.stderr)
        return 2

    def show(line: str) -> None:
        if not options.quiet:
            print(line, file=sys.stderr, flush=True)

    try:
        report = check(options.folder, show)
    except (EngineError, OSError, lmdb.Error) as error:
        print(f"cannot check: {error}", file=sys.stderr)
        return 2
    for problem in report.problems:
        print(problem)
    verdict = "sound" if report.sound else f"{len(report.problems):,} problems"
    print(
        f"{verdict}: {report.collections:,} collections, {report.points:,} points, {report.vectors:,} vectors checked"
    )
    return 0 if report.sound else 1


if __name__ == "__main__":
    escape_what_cannot_be_encoded()
    sys.exit(main())
