"""Points as Parquet: columns `id_number` or `id_key`, `payload` (JSON) and one list of float32 per space. Exact.

pyarrow is imported when it is needed: it is an optional dependency, many times the size of this client.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from headwater._exchange import Head
from headwater.models.points import PointStruct, Record

VECTOR_PREFIX = "vector:"
_HEAD_KEY = b"headwater"
_ROWS_PER_GROUP = 4096


@contextmanager
def parquet_writer(path: Path, head: Head) -> Iterator["ParquetWriter"]:
    """Writes to `path`. Raises ImportError when there is no pyarrow."""
    arrow, parquet = _pyarrow()
    spaces = list(head["schema"].get("vectors", {}))
    columns = [("id_number", arrow.uint64()), ("id_key", arrow.string()), ("payload", arrow.string())]
    columns += [(VECTOR_PREFIX + space, arrow.list_(arrow.float32())) for space in spaces]
    schema = arrow.schema(columns, metadata={_HEAD_KEY: json.dumps(head).encode()})
    # A dictionary would only cost time: vectors and payloads hardly repeat.
    with parquet.ParquetWriter(path, schema, use_dictionary=False) as file:
        writer = ParquetWriter(arrow, file, schema, spaces)
        yield writer
        writer.flush()


class ParquetWriter:
    """Appends points to a file, in groups of some thousand rows."""

    def __init__(self, arrow: Any, file: Any, schema: Any, spaces: list[str]) -> None:
        self._arrow, self._file, self._schema, self._spaces = arrow, file, schema, spaces
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
                *(self._vectors(space) for space in self._spaces),
            ]
            self._file.write_table(self._arrow.Table.from_arrays(columns, schema=self._schema))
            self._records = []

    def _vectors(self, space: str) -> Any:
        vectors = [record.vectors.get(space) for record in self._records]
        return self._arrow.array(vectors, self._arrow.list_(self._arrow.float32()))


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
        raise ValueError(f"{where} has not one of id_number and id_key")
    vectors = {
        name.removeprefix(VECTOR_PREFIX): vector.values.to_numpy(zero_copy_only=False).astype(np.float32, copy=False)
        for name, vector in row.items()
        if name.startswith(VECTOR_PREFIX) and vector.is_valid
    }
    payload = row["payload"].as_py() if "payload" in row else None
    return PointStruct(ids[0], vectors, json.loads(payload or "{}"))


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
