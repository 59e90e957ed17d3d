"""Reads what is typed: ids of points, vectors, and vector spaces. Raises ValueError."""

import json
from pathlib import Path
from typing import Any

MAX_NUMBER = 2**64 - 1


def point_id(text: str) -> int | str:
    """The id that a text names: a number if it is one, else a key. `key:42` is the key `42`, and so is `042` a key."""
    if text.startswith("key:"):
        return text.removeprefix("key:")
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MAX_NUMBER))):
        return text
    number = int(text)
    return number if number <= MAX_NUMBER and str(number) == text else text


def vector(text: str) -> Any:
    """A vector in JSON, `[1, 2]` or `{"indices": [...], "values": [...]}`; or of numbers with commas between them."""
    if text.lstrip().startswith(("[", "{")):
        return json.loads(text)
    return [float(part) for part in text.split(",")]


def vector_in(path: Path, row: int) -> Any:
    """A vector in a file: row `row` of a .npy file, else the JSON of one vector."""
    if path.suffix.lower() != ".npy":
        return vector(path.read_text())
    import numpy as np

    try:
        rows = np.load(path, mmap_mode="r", allow_pickle=False)
    except EOFError:
        raise ValueError(f"{path} is empty") from None
    if rows.ndim not in (1, 2):
        raise ValueError(f"{path} has the shape {rows.shape}; a vector has one dimension, and rows of vectors have two")
    if rows.ndim == 1:
        return np.asarray(rows)
    if not 0 <= row < len(rows):
        raise ValueError(f"{path} has the rows 0 to {len(rows) - 1:,}, not {row:,}")
    return np.asarray(rows[row])


def space(text: str) -> tuple[str, dict[str, Any]]:
    """The name and the settings of a vector space: `[NAME=]SIZE[:DISTANCE[:DATATYPE]]`, as in `title=384:cosine`."""
    name, equals, about = text.rpartition("=")
    size, *others = about.split(":")
    if not (size.isascii() and size.isdigit()) or len(others) > 2:
        raise ValueError(f"{text!r} is no vector space; write [NAME=]SIZE[:DISTANCE[:DATATYPE]]")
    settings: dict[str, Any] = {"size": int(size)}
    settings |= dict(zip(("distance", "datatype"), others, strict=False))
    return name if equals else "", settings


def json_object(path: Path) -> dict[str, Any]:
    """The JSON object in a file."""
    try:
        value = json.loads(path.read_text())
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: {error}") from None
    if not isinstance(value, dict):
        raise ValueError(f"{path}: this is not a JSON object")
    return value
