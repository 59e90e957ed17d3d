"""Turns values into plain values, and columns into pandas frames and Arrow tables. Both libraries are imported on first
use."""

import dataclasses
import importlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Columns = Mapping[str, Sequence[Any]]


def pandas_frame(columns: Columns) -> Any:
    """A DataFrame. Integers stay exact: columns with None become Int64. Raises ImportError without pandas."""
    pandas = _module("pandas", "to_pandas")
    return pandas.DataFrame({name: _pandas_column(pandas, values) for name, values in columns.items()})


def _pandas_column(pandas: Any, values: Sequence[Any]) -> Any:
    column = pandas.Series(list(values), dtype=object)
    kinds = {type(value) for value in values if value is not None}
    if kinds == {int} and None in values:
        return column.astype("Int64") if all(value is None or -(2**63) <= value < 2**63 for value in values) else column
    exact = len(kinds) <= 1 or all(_fits_float(value) for value in values)
    return column.infer_objects() if exact else column


def arrow_table(columns: Columns) -> Any:
    """A pyarrow Table. Columns of several types hold JSON. Raises ImportError without pyarrow."""
    arrow = _module("pyarrow", "to_arrow")
    return arrow.table({name: _arrow_column(arrow, values) for name, values in columns.items()})


def _arrow_column(arrow: Any, values: Sequence[Any]) -> Any:
    if any(isinstance(value, np.ndarray) for value in values):
        lists = [value.tolist() if isinstance(value, np.ndarray) else value for value in values]
        depth = max(value.ndim for value in values if isinstance(value, np.ndarray))
        kind = arrow.float32()
        for _ in range(depth):
            kind = arrow.list_(kind)
        return arrow.array(lists, kind)
    kinds = {type(value) for value in values if value is not None}
    exact = len(kinds) <= 1 or (kinds == {int, float} and all(_fits_float(value) for value in values))
    for kind in (None, arrow.uint64()) if kinds == {int} else (None,) if exact else ():
        try:
            return arrow.array(values, kind)
        except (arrow.ArrowInvalid, arrow.ArrowTypeError, arrow.ArrowNotImplementedError, OverflowError):
            continue  # numbers of more than 63 bits, or lists and dicts of several types
    texts = [None if value is None else json.dumps(plain(value), ensure_ascii=False) for value in values]
    return arrow.array(texts, arrow.string())


def _fits_float(value: Any) -> bool:
    return not isinstance(value, int) or abs(value) <= 2**53


def plain(value: Any) -> Any:
    """A value made only of None, bools, numbers, strings, lists and dicts, as far as possible."""
    match value:
        case np.ndarray() | np.generic():
            return value.tolist()
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case _ if dataclasses.is_dataclass(value):
            return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        case None | bool() | int() | float() | str():
            return value
        case _:
            return str(value)


def _module(name: str, method: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(f"{method} needs {name}, which is not installed: pip install {name}", name=name) from error
