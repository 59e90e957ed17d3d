"""Reads records from data like JSON: their labels, ids and vectors. Sends nothing."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from headwater._wire import check_depth
from headwater.models import PointIdLike, PropertyVectorLike

Data = Mapping[str, Any]
VECTORS_KEY = "$vectors"
"""The key of an imported object that holds its vectors."""


def records_by_label(data: Data | Sequence[Data], label: str | None) -> dict[str, Sequence[Data]]:
    """The objects of each label. `label` None: `data` is a dict by label. Raises ValueError."""
    if label is not None:
        return {label: _rows(data, "data")}
    if not isinstance(data, Mapping):
        raise ValueError("data is a list, so it needs a label")
    return {each: _rows(rows, f'data["{each}"]') for each, rows in data.items()}


def _rows(given: Any, what: str) -> Sequence[Data]:
    rows = [given] if isinstance(given, Mapping) else given
    if not isinstance(rows, list | tuple) or not all(isinstance(row, Mapping) for row in rows):
        raise ValueError(f"{what} must be an object or a list of objects; each object is a record")
    return rows


def parsed_record(row: Data, where: str) -> tuple[dict[str, Any], list[PropertyVectorLike], PointIdLike | None]:
    """The data, the vectors and the id of an imported object. Raises ValueError; `where` names the object."""
    vectors: list[PropertyVectorLike] = []
    data = _without_vectors(row, "", where, vectors)
    return data, vectors, data.pop("$id", None)


def _without_vectors(
    row: Data, prefix: str, where: str, vectors: list[PropertyVectorLike], depth: int = 1
) -> dict[str, Any]:
    check_depth(depth, f"data: {where}")
    vectors.extend(_placed(row.get(VECTORS_KEY, ()), prefix, where))
    data: dict[str, Any] = {}
    for key, value in row.items():
        if key == VECTORS_KEY:
            continue
        if isinstance(value, list | tuple) and any(isinstance(each, Mapping) and VECTORS_KEY in each for each in value):
            raise ValueError(f"{where}.{key}: objects in a list belong to one record and cannot have vectors")
        if isinstance(value, Mapping):
            value = _without_vectors(value, f"{prefix}{_quoted(key)}.", f"{where}.{key}", vectors, depth + 1)
        data[key] = value
    return data


def _placed(given: Any, prefix: str, where: str) -> Iterator[dict[str, Any]]:
    """Vectors whose property paths start at the outer object."""
    entries = given
    if isinstance(given, Mapping):
        entries = [{"propertyName": name, "vector": vector} for name, vector in given.items()]
    for entry in entries:
        if not isinstance(entry, Mapping):
            raise ValueError(f'{where}: "$vectors" must hold dicts {{"propertyName", "vector"}}')
        name = entry.get("propertyName", entry.get("property_name", ""))
        rest = {key: value for key, value in entry.items() if key not in ("propertyName", "property_name")}
        yield {**rest, "property_name": f"{prefix}{name}" if name else ""}


def _quoted(key: str) -> str:
    """A key as it is written in a path."""
    plain = key and not any(character in key for character in '."[]\\')
    return key if plain else '"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'
