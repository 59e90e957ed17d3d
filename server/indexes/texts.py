"""Reads the texts of a property, from a chunk of points at a time. It embeds nothing."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from planner.predicate import first_key, parse_path, values_at
from server.embedders import MAX_TEXT_BYTES
from storage.mvcc import Snapshot
from storage.tables import PointRecord

POINTS_PER_CHUNK = 256
"""Points that are embedded and written together."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some points, and the text of each. None: the point has no text."""

    records: Sequence[PointRecord]
    texts: Sequence[str | None]


def chunk_of(snapshot: Snapshot, path: str, slots: NDArray[np.uint32]) -> Chunk:
    """The points in these slots, except those that do not exist."""
    steps, key = parse_path(path), first_key(path)
    records = list(snapshot.existing(slots))
    texts = [text_of(values_at(snapshot.codec.decode(record.payload, {key}), steps)) for record in records]
    return Chunk(records, texts)


def chunk_from(snapshot: Snapshot, path: str, start: int) -> Chunk:
    """The first points from the slot `start` on, at most POINTS_PER_CHUNK."""
    steps, key = parse_path(path), first_key(path)
    payloads = list(islice(snapshot.payloads({key}, start=start), POINTS_PER_CHUNK))
    texts = [text_of(values_at(payload, steps)) for _, payload in payloads]
    return Chunk([snapshot.record(slot) for slot, _ in payloads], texts)


def text_of(values: Sequence[object]) -> str | None:
    """The text to embed for the values of a property.

    It is the strings among the values and in their arrays, joined by spaces and cut to MAX_TEXT_BYTES bytes. None if
    only white space is left.
    """
    parts = [part for value in values for part in (value if isinstance(value, list) else [value])]
    text = " ".join(part for part in parts if isinstance(part, str)).strip()
    if len(text) > MAX_TEXT_BYTES // 4:
        text = text.encode()[:MAX_TEXT_BYTES].decode(errors="ignore")
    return text or None


def digest(text: str) -> int:
    """64 bits of the text's BLAKE2b hash. It is never 0, since 0 stands for no text."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest()) | 1
