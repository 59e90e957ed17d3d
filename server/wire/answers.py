"""Points, and answers to queries, as bytes, by one native pass over the columns of their points."""

import ctypes
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from struct import pack

import numpy as np
from numpy.typing import NDArray

from server.wire.library import DONE, NO_MEMORY, Answers, StoredPoints, library
from storage.kernels import address
from storage.tables import RecordColumns

_POINT_BYTES = 48
"""The most bytes of a point besides its id when that is a string, and its payload."""
_ANSWER_BYTES = 40
_SMALL_BYTES = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerColumns:
    """The points of several answers: those of the first, then those of the second, and so on.

    `ends`: where the points of each end. `totals`: -1 where none is known.
    """

    ends: Sequence[int]
    totals: Sequence[int]
    seq: int
    points: RecordColumns
    scores: NDArray[np.float32]
    with_payloads: bool


def write_answers(columns: AnswerColumns, field: int) -> bytes | None:
    """Each answer as a QueryResult in `field` of the message around it, as protobuf would write it. None: there is no
    wire library."""
    native = library()
    if native is None:
        return None
    ends, points = columns.ends, columns.points
    places = np.ascontiguousarray(points.places)
    assert len(columns.scores) == len(points)
    asked = Answers(
        _told(points, places, columns.with_payloads),
        columns.scores.astype("<f4", copy=False).tobytes(),
        len(ends),
        pack(f"<{len(ends)}q", *ends),
        pack(f"<{len(ends)}q", *columns.totals),
        columns.seq,
    )
    return _written(native.hw_answers_encode, asked, field, points, len(ends))


def write_points(points: RecordColumns, field: int, *, with_payloads: bool) -> bytes | None:
    """Each point as a RetrievedPoint in `field` of the message around it, likewise."""
    native = library()
    if native is None:
        return None
    places = np.ascontiguousarray(points.places)
    return _written(native.hw_points_encode, _told(points, places, with_payloads), field, points, 0)


def _told(points: RecordColumns, places: NDArray[np.int64], with_payloads: bool) -> StoredPoints:
    """The points as the library reads them while `places`, which are those of the points in one piece, live."""
    return StoredPoints(points.records, len(points.records), address(places), len(points), with_payloads)


def _written(
    encode: Callable[..., int], asked: Answers | StoredPoints, field: int, points: RecordColumns, answers: int
) -> bytes | None:
    length = ctypes.c_size_t()
    out, room = _OWN.small, _SMALL_BYTES
    status = encode(ctypes.byref(asked), field, out, room, ctypes.byref(length))
    if status == NO_MEMORY:
        texts = int((points.ends - points.string_starts).sum())
        room = _ANSWER_BYTES * answers + _POINT_BYTES * len(points) + texts
        out = ctypes.create_string_buffer(room)
        status = encode(ctypes.byref(asked), field, out, room, ctypes.byref(length))
    return ctypes.string_at(out, length.value) if status == DONE else None


class _Own(threading.local):
    """Memory of a thread for small answers."""

    def __init__(self) -> None:
        self.small = ctypes.create_string_buffer(_SMALL_BYTES)


_OWN = _Own()
