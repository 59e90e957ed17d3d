"""Points as Parquet: columns `id_number` or `id_key`, `payload` (JSON), and one column per space. Exact.

A dense vector is a list of float32. A multi-vector is a list of such lists. A sparse vector is a struct of two lists:
`indices` (uint32) and `values` (float32).

pyarrow is imported on first use: it is an optional dependency, and much larger than this client.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from headwater._files.head import Head
from headwater.models import PointStruct, Record, SparseVector

VECTOR_PREFIX = "vector:"
_HEAD_KEY = b"headwater"
_ROWS_PER_GROUP = 4096


@contextmanager
def parquet_writer(path: Path, head: Head) -> Iterator["ParquetWriter"]:
    """Opens a writer to `path`. Raises ImportError without pyarrow."""
    arrow, parquet = _pyarrow()
    columns = [("id_number", arrow.uint64()), ("id_key", arrow.string()), ("payload", arrow.string())]
    types = {space: _type(arrow, head, space) for space in _spaces(head)}
    columns += [(VECTOR_PREFIX + space, kind) for space, kind in types.items()]
    schema = arrow.schema(columns, metadata={_HEAD_KEY: json.dumps(head).encode()})
    # Vectors and payloads hardly repeat, so a dictionary would only cost time.
    with parquet.ParquetWriter(path, schema, use_dictionary=False) as file:
        writer = ParquetWriter(arrow, file, schema, types)
        yield writer
        writer.flush()


class ParquetWriter:
    """Appends points to a file, in groups of some thousand rows."""

    def __init__(self, arrow: Any, file: Any, schema: Any, types: Mapping[str, Any]) -> None:
        """`types`: the arrow type of each space's vectors, by its name."""
        self._arrow, self._file, self._schema, self._types = arrow, file, schema, types
        self._records: list[Record] = []

    def write(self, record: Record) -> None:
        self._records.append(record)
        if len(self._records) == _ROWS_PER_GROUP:
            self.flush()

    def flush(self) -> None:
        if self._records:
            columns = [
                self._arrow.array([_number(record) for record in self._records], self._arrow.uint64()),
                self._arrow.array([_key(record) for record in self._records], self._arrow.string()),
                self._arrow.array([_json(record.payload or {}) for record in self._records], self._arrow.string()),
                *(self._vectors(space) for space in self._types),
            ]
            self._file.write_table(self._arrow.Table.from_arrays(columns, schema=self._schema))
            self._records = []

    def _vectors(self, space: str) -> Any:
        vectors = [_plain((record.vectors or {}).get(space)) for record in self._records]
        return self._arrow.array(vectors, self._types[space])


def _spaces(head: Head) -> list[str]:
    return [*head["schema"].get("vectors", {}), *head["schema"].get("sparse_vectors", {})]


def _type(arrow: Any, head: Head, space: str) -> Any:
    """The arrow type in which the vectors of a space are stored."""
    values = arrow.list_(arrow.float32())
    if space in head["schema"].get("sparse_vectors", {}):
        return arrow.struct([("indices", arrow.list_(arrow.uint32())), ("values", values)])
    return arrow.list_(values) if "multivector_config" in head["schema"]["vectors"][space] else values


def _plain(vector: Any) -> Any:
    if isinstance(vector, SparseVector):
        return {"indices": np.asarray(vector.indices), "values": np.asarray(vector.values)}
    return list(vector) if vector is not None and vector.ndim == 2 else vector


def read_head(path: Path) -> Head | None:
    """The head of a file; None when another program wrote it."""
    _, parquet = _pyarrow()
    head = (parquet.read_schema(path).metadata or {}).get(_HEAD_KEY)
    return None if head is None else json.loads(head)


def count_points(path: Path) -> int:
    """How many points are in a file."""
    _, parquet = _pyarrow()
    return int(parquet.read_metadata(path).num_rows)


def read_points(path: Path) -> Iterator[PointStruct]:
    """The points of a file. Raises ValueError when a row has no id."""
    _, parquet = _pyarrow()
    with parquet.ParquetFile(path) as file:
        rows = (row for batch in file.iter_batches(_ROWS_PER_GROUP) for row in _rows(batch))
        for number, row in enumerate(rows):
            yield _point(row, f"{path}, row {number}")


def _rows(batch: Any) -> Iterator[dict[str, Any]]:
    """The rows of a batch: arrow scalars by the name of their column."""
    columns = {name: batch.column(name) for name in batch.schema.names}
    for row in range(batch.num_rows):
        yield {name: column[row] for name, column in columns.items()}


def _point(row: Mapping[str, Any], where: str) -> PointStruct:
    ids = [row[name].as_py() for name in ("id_number", "id_key") if name in row and row[name].is_valid]
    if len(ids) != 1:
        raise ValueError(f"{where} must have exactly one of id_number and id_key")
    vectors = {
        name.removeprefix(VECTOR_PREFIX): _vector_at(vector, f"{where}, {name}")
        for name, vector in row.items()
        if name.startswith(VECTOR_PREFIX) and vector.is_valid
    }
    payload = row["payload"].as_py() if "payload" in row else None
    try:
        return PointStruct(ids[0], vectors, json.loads(payload or "{}"))
    except (ValueError, TypeError, RecursionError) as error:
        raise ValueError(f"{where}: the payload is not valid JSON: {error}") from None


def _vector_at(stored: Any, where: str) -> Any:
    """Raises ValueError, which names the row and the column."""
    try:
        return _vector(stored)
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{where}: {error}") from None


def _vector(stored: Any) -> Any:
    """The vector of an arrow scalar that is not null."""
    if hasattr(stored, "keys"):  # a struct
        return SparseVector(np.array(stored["indices"].as_py(), np.int64), _floats(stored["values"]))
    rows = getattr(stored, "values", None)
    if rows is None:
        raise ValueError(f"a vector is a list of numbers, not {stored.type}")
    if hasattr(rows.type, "value_type"):  # a list of lists
        return [_floats(row) for row in rows]
    return _floats(stored)


def _floats(stored: Any) -> Any:
    return stored.values.to_numpy(zero_copy_only=False).astype(np.float32, copy=False)


def _number(record: Record) -> int | None:
    return record.id if isinstance(record.id, int) else None


def _key(record: Record) -> str | None:
    return record.id if isinstance(record.id, str) else None


def _json(payload: Mapping[str, Any]) -> str:
    return json.dumps(payload, ensure_ascii=False, allow_nan=False)


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise ImportError("Parquet needs pyarrow: pip install 'headwater[parquet]'") from None
    return pyarrow, parquet
