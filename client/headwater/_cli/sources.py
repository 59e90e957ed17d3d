"""Reads points from files: JSON Lines, CSV, Parquet and .npy. Each point comes with its place, for messages.

Knows no server. What is wrong with one point is an item as well, so that the rest can be imported.
"""

import csv
import gzip
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice, repeat
from pathlib import Path
from typing import IO, Any, cast

FORMAT_KEY = "headwater"
"""The key of the first line of an export, which says how its collection is made."""
MAX_CELL_CHARACTERS = 16 * 2**20
"""Length of a cell of a CSV file: a vector of the most dimensions, as text, is some MiB long."""
_OF_A_POINT = frozenset(("id", "vector", "vectors", "payload"))
_OF_A_RECORD = frozenset(("version", "score"))
"""Keys that `--json scroll` and `--json query` print beside those of a point."""


@dataclass(frozen=True, slots=True)
class Item:
    """A point of a file, as the client takes it, or what is wrong with it. `place` is such as `line 7`."""

    place: str
    point: Mapping[str, Any] | None
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How columns become points: those of the id and of vectors by space, those that stay text, and the first id."""

    id_column: str | None
    vector_columns: Mapping[str, str]
    text_columns: frozenset[str]
    first_id: int
    space: str


def items(path: Path, reading: Reading) -> Iterator[Item]:
    """The points of a file, by the ending of its name. Raises ValueError and OSError."""
    name = path.name.lower().removesuffix(".gz")
    if name.endswith((".jsonl", ".ndjson")):
        return _json_lines(path, reading)
    if name.endswith((".csv", ".tsv")):
        return _csv(path, reading, "\t" if name.endswith(".tsv") else ",")
    if name.endswith(".parquet"):
        return _parquet(path, reading)
    if name.endswith(".npy"):
        return _npy(path, reading)
    raise ValueError(f"{path}: the name must end in .jsonl, .ndjson, .csv, .tsv, .parquet or .npy (.gz too, for text)")


def _json_lines(path: Path, reading: Reading) -> Iterator[Item]:
    with _open(path) as file:
        for number, line in enumerate(_lines(file, path), 1):
            if not line.strip():
                continue
            place = f"line {number:,}"
            try:
                value = json.loads(line.rstrip())
            except json.JSONDecodeError as error:
                yield Item(place, None, f"this is not JSON: {error.msg} (column {error.colno:,})")
                continue
            except (ValueError, RecursionError) as error:
                yield Item(place, None, f"this is not JSON: {error}")
                continue
            if not isinstance(value, dict):
                yield Item(place, None, "this is not a JSON object")
            elif FORMAT_KEY not in value or number > 1:
                yield _item(place, value, reading, number)


def _csv(path: Path, reading: Reading, delimiter: str) -> Iterator[Item]:
    csv.field_size_limit(MAX_CELL_CHARACTERS)
    with _open(path) as binary:
        encodings = chain(("utf-8-sig",), repeat("utf-8"))
        lines = (line.decode(encoding) for line, encoding in zip(_lines(binary, path), encodings, strict=False))
        reader = csv.DictReader(lines, delimiter=delimiter, strict=True)
        try:
            for number, row in enumerate(reader, 1):
                place = f"line {reader.line_num:,}"
                if None in row or None in row.values():
                    yield Item(
                        place, None, f"it has another number of columns than the head, {len(reader.fieldnames or ())}"
                    )
                    continue
                values = {key: _cell(text, key in reading.text_columns) for key, text in row.items() if text != ""}
                yield _item(place, values, reading, number)
        except (csv.Error, UnicodeDecodeError) as error:
            raise ValueError(f"{path}, line {reader.line_num:,}: {error}") from None


def _parquet(path: Path, reading: Reading) -> Iterator[Item]:
    try:
        from pyarrow import parquet
    except ImportError:
        raise ImportError("Parquet needs pyarrow: pip install 'headwater[parquet]'") from None
    with parquet.ParquetFile(path) as file:
        number = 0
        for batch in file.iter_batches(batch_size=1024):
            for row in batch.to_pylist():
                number += 1
                place = f"row {number:,}"
                try:
                    found = _exported(row)
                except (ValueError, TypeError, RecursionError) as error:
                    yield Item(place, None, f"its payload is not JSON: {error}")
                    continue
                yield _item(place, found, reading, number)


def _npy(path: Path, reading: Reading) -> Iterator[Item]:
    import numpy as np

    try:
        rows = np.load(path, mmap_mode="r", allow_pickle=False)
    except EOFError:
        raise ValueError(f"{path} is empty") from None
    if rows.ndim != 2:
        raise ValueError(f"{path} has the shape {rows.shape}; rows of vectors have two dimensions")
    for number, row in enumerate(rows):
        yield Item(f"row {number:,}", {"id": reading.first_id + number, "vectors": {reading.space: np.asarray(row)}})


def _item(place: str, values: Mapping[str, Any], reading: Reading, number: int) -> Item:
    """The point of an object or of a row."""
    rest = dict(values)
    if reading.id_column == "id" and not reading.vector_columns and rest.get("id") is not None:
        point = _point(place, rest)
        if point is not None:
            return point
    identifier = reading.first_id + number - 1
    if reading.id_column is not None:
        if rest.get(reading.id_column) is None:
            return Item(
                place,
                None,
                f"it has no {reading.id_column!r} to be its id; --id-column names another, '' numbers the rows",
            )
        identifier = rest.pop(reading.id_column)
    vectors = {}
    for space, column in (reading.vector_columns or {"": "vector"}).items():
        vector = rest.pop(column, None)
        if isinstance(vector, str):
            vector = _vector_of(vector)
        if vector is not None:
            vectors[space] = vector
    payload = {key: value for key, value in rest.items() if value is not None}
    return Item(place, {"id": identifier, "vectors": vectors, "payload": payload})


def _point(place: str, values: Mapping[str, Any]) -> Item | None:
    """The object if it is a point already, as the client takes it; None: it is a row."""
    others = values.keys() - _OF_A_POINT - _OF_A_RECORD
    has_parts = any(isinstance(values.get(key), Mapping) for key in ("vectors", "payload"))
    if not has_parts and ("vector" not in values or values.keys() - _OF_A_POINT):
        return None
    if others:
        told = ", ".join(map(repr, sorted(others)))
        problem = f"a point by its 'vectors' or 'payload', it has {told} beside them; --vector-column reads it as a row"
        return Item(place, None, problem)
    point = {key: value for key, value in values.items() if key in _OF_A_POINT and value is not None}
    if isinstance(point.get("vector"), str):
        point["vector"] = _vector_of(point["vector"])
    return Item(place, point)


def _vector_of(text: str) -> Any:
    """The numbers in a text: JSON, or numbers between spaces or commas. Else the text, which the server may embed."""
    parts = text.strip("[] \t").replace(",", " ").split()
    try:
        return [float(part) for part in parts]
    except ValueError:
        return text


def _exported(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The row of an export of Headwater as a point; other rows as they are."""
    if not ("id_number" in row and "id_key" in row):
        return row
    identifier = row["id_key"] if row["id_number"] is None else row["id_number"]
    start = "vector:"
    vectors = {key.removeprefix(start): value for key, value in row.items() if key.startswith(start)}
    found = {space: vector for space, vector in vectors.items() if vector is not None}
    return {"id": identifier, "vectors": found, "payload": json.loads(row["payload"] or "{}")}


def _cell(text: str, stays_text: bool) -> Any:
    """The value of a cell: a number, true, false, a list or an object where it is one in JSON; else text.

    A number with a zero before it is text, as the codes of places are.
    """
    if stays_text:
        return text
    if text[:1] not in "-0123456789[{tf" or (text.lstrip("-")[:1] == "0" and text.lstrip("-")[1:2].isdigit()):
        return text
    try:
        value = json.loads(text, parse_constant=lambda constant: constant)
    except (ValueError, RecursionError):
        return text
    return value


def skipped(found: Iterable[Item], count: int) -> Iterator[Item]:
    """`found` without its first `count` items."""
    return islice(found, count, None)


def _lines(file: IO[bytes], path: Path) -> Iterator[bytes]:
    """Raises ValueError for a compressed file that is cut or damaged."""
    number = 0
    try:
        for number, line in enumerate(file, 1):  # noqa: B007  (the error names it)
            yield line
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path}, line {number + 1:,}: the compressed file is cut or damaged: {error}") from None


def _open(path: Path) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(path)) if path.suffix.lower() == ".gz" else path.open("rb")
