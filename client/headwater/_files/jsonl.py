"""Points as JSON Lines: a head, then one object per point. Numbers keep their exact values. Knows no server."""

import gzip
import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Literal, NoReturn, cast

import numpy as np

from headwater._files.head import FORMAT_KEY, Head
from headwater.models import PointStruct, Record, SparseVector


@contextmanager
def jsonl_writer(path: Path, head: Head) -> Iterator["JsonLinesWriter"]:
    """Opens a writer to `path`. The file is compressed when the name ends in .gz."""
    with _open(path, "wb") as file:
        file.write(_line(head))
        yield JsonLinesWriter(file)


class JsonLinesWriter:
    """Appends points to a file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def write(self, record: Record) -> None:
        # Every float32 is also a float64, and Python writes the shortest text that gives the same float64 back.
        vectors = {name: _plain(vector) for name, vector in (record.vectors or {}).items()}
        self._file.write(_line({"id": record.id, "vectors": vectors, "payload": record.payload or {}}))


def read_head(path: Path) -> Head | None:
    """The head of a file; None when it begins with a point. Raises ValueError."""
    with _open(path) as file:
        for value in _values(file, path):
            return value if FORMAT_KEY in value else None
    return None


def count_points(path: Path) -> int:
    """How many points are in a file, without parsing them."""
    with _open(path) as file:
        lines = sum(1 for line in _lines(file, path) if line.strip())
    return lines - (read_head(path) is not None)


def read_points(path: Path) -> Iterator[PointStruct]:
    """The points of a file. Raises ValueError, which names the line."""
    with _open(path) as file:
        for number, value in enumerate(_values(file, path)):
            if number == 0 and FORMAT_KEY in value:
                continue
            if "id" not in value:
                raise ValueError(f"{path}: object {number + 1} has no id")
            yield PointStruct(value["id"], value.get("vectors") or {}, value.get("payload") or {})


def _plain(vector: Any) -> object:
    """The vector as JSON: a list, or lists of indices and values for a sparse vector."""
    if isinstance(vector, SparseVector):
        return {"indices": np.asarray(vector.indices).tolist(), "values": np.asarray(vector.values).tolist()}
    return vector.tolist()


def _values(file: IO[bytes], path: Path) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(_lines(file, path), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line, parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{path}, line {number}: {error}") from None
        if not isinstance(value, dict):
            raise ValueError(f"{path}, line {number}: this is not a JSON object")
        yield value


def _lines(file: IO[bytes], path: Path) -> Iterator[bytes]:
    """Raises ValueError for a compressed file that is cut or damaged."""
    number = 0
    try:
        for number, line in enumerate(file, 1):  # noqa: B007  (the error names it)
            yield line
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path}, line {number + 1}: the compressed file is cut or damaged: {error}") from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} cannot be stored")


def _line(value: Head) -> bytes:
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # JSON allows these, but many programs take them for ends of lines.
    for separator in ("\x85", "\u2028", "\u2029"):
        text = text.replace(separator, f"\\u{ord(separator):04x}")
    return text.encode() + b"\n"


def _open(path: Path, mode: Literal["rb", "wb"] = "rb") -> IO[bytes]:
    return cast(IO[bytes], gzip.open(path, mode)) if path.suffix == ".gz" else path.open(mode)
