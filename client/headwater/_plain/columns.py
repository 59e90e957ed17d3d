"""Points given as columns: lists, arrays, Arrow tables and pandas frames. Each row becomes a point. Sends nothing.

A table has a column `id`, and a column `vector` (for the unnamed space) or `vector:<space>`. It may have a column
`payload`. Every other column is a key of the payload. Missing values (null, NaN, NaT) are left out.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from headwater._plain.instants import is_missing
from headwater.models import PointStruct, SparseVector

VECTOR_PREFIX = "vector:"


def is_table(given: Any) -> bool:
    """Whether it is an Arrow table, an Arrow batch or a pandas frame."""
    return hasattr(given, "itertuples") or (hasattr(given, "to_pydict") and hasattr(given, "schema"))


class TablePoints:
    """The points of a table, made as they are read."""

    def __init__(self, table: Any, path: str) -> None:
        self._names = [str(name) for name in (table.columns if _is_frame(table) else table.schema.names)]
        self._table = table
        if "id" not in self._names:
            raise ValueError(
                f"{path} has no column 'id'; its columns are: {', '.join(map(repr, self._names)) or 'none'}"
            )

    def __len__(self) -> int:
        return len(self._table) if _is_frame(self._table) else int(self._table.num_rows)

    def __iter__(self) -> Iterator[PointStruct]:
        for row in rows_of(self._table):
            yield _point(row)


def rows_of(table: Any) -> Iterator[dict[str, Any]]:
    """The rows of a table as dicts by the name of the column."""
    if _is_frame(table):
        names = [str(name) for name in table.columns]
        for row in table.itertuples(index=False, name=None):
            yield dict(zip(names, row, strict=True))
        return
    for batch in table.to_batches() if hasattr(table, "to_batches") else [table]:
        columns = [batch.column(number) for number in range(batch.num_columns)]
        for row in zip(*columns, strict=True):
            yield dict(zip(batch.schema.names, map(_of_arrow, row), strict=True))


def points_of(ids: Any, vectors: Any, payloads: Any) -> list[PointStruct]:
    """The points of columns. Raises TypeError or ValueError, which names the column."""
    given_ids = _column(ids, "ids")
    by_row = [{}] * len(given_ids) if vectors is None else _vector_rows(vectors)
    values = [None] * len(given_ids) if payloads is None else _payload_rows(payloads)
    for name, column in (("vectors", by_row), ("payloads", values)):
        if len(column) != len(given_ids):
            raise ValueError(f"{name} has {len(column):,} rows, but ids has {len(given_ids):,}")
    return [PointStruct(*row) for row in zip(given_ids, by_row, values, strict=True)]


def _vector_rows(given: Any) -> Sequence[Any]:
    """For each point one vector, or a dict of vectors by space."""
    if not isinstance(given, Mapping):
        return _column(given, "vectors")
    columns = {space: _column(column, f'vectors["{space}"]') for space, column in given.items()}
    lengths = {len(column) for column in columns.values()}
    if len(lengths) > 1:
        raise ValueError(f"vectors has columns of {' and '.join(map(str, sorted(lengths)))} rows")
    spaces = ({space: column[row] for space, column in columns.items()} for row in range(max(lengths, default=0)))
    return [{space: vector for space, vector in row.items() if vector is not None} for row in spaces]


def _payload_rows(given: Any) -> Sequence[Any]:
    """A payload for each point, from a list of dicts, a dict of columns or a table."""
    if is_table(given):
        return [_present(row) for row in rows_of(given)]
    if not isinstance(given, Mapping):
        return _column(given, "payloads")
    columns = {name: _column(column, f'payloads["{name}"]') for name, column in given.items()}
    lengths = {len(column) for column in columns.values()}
    if len(lengths) > 1:
        raise ValueError(f"payloads has columns of {' and '.join(map(str, sorted(lengths)))} rows")
    return [{name: column[row] for name, column in columns.items()} for row in range(max(lengths, default=0))]


def _column(given: Any, path: str) -> Sequence[Any]:
    """The values of a column as a list."""
    single = isinstance(given, str | bytes | bytearray | Mapping) or is_table(given)
    if single or not isinstance(given, Iterable) or (isinstance(given, np.ndarray) and given.ndim == 0):
        raise TypeError(f"{path} takes a list or an array of rows, not {type(given).__name__}")
    rows = [*iter(given)]
    return [_of_arrow(row) for row in rows] if rows and hasattr(rows[0], "as_py") else rows


def _of_arrow(scalar: Any) -> Any:
    """The value of an Arrow scalar. Lists of numbers become arrays."""
    if not scalar.is_valid:
        return None
    if hasattr(scalar, "values") and not hasattr(scalar, "keys"):  # a list, not a struct
        numbers = scalar.values
        if str(numbers.type) in ("float", "double", "halffloat") and not numbers.null_count:
            return numbers.to_numpy(zero_copy_only=False)
    return scalar.as_py()


def _point(row: Mapping[str, Any]) -> PointStruct:
    vectors = {}
    for name, value in row.items():
        if (name == "vector" or name.startswith(VECTOR_PREFIX)) and not _is_absent(value):
            sparse = isinstance(value, Mapping) and value.keys() == {"indices", "values"}
            vector = SparseVector(value["indices"], value["values"]) if sparse else value
            vectors[name.removeprefix("vector").removeprefix(":")] = vector
    payload = row.get("payload")
    rest = {
        name: value
        for name, value in row.items()
        if name not in ("id", "vector", "payload") and not name.startswith(VECTOR_PREFIX)
    }
    given = {} if _is_absent(payload) else payload
    return PointStruct(row["id"], vectors, {**given, **_present(rest)} if isinstance(given, Mapping) else given)


def _present(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if not _is_absent(value)}


def _is_absent(value: Any) -> bool:
    return value is None or is_missing(value) or (isinstance(value, float) and math.isnan(value))


def _is_frame(table: Any) -> bool:
    return hasattr(table, "itertuples")
