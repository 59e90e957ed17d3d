"""Answers to queries as bytes, by one native pass over the columns of their points."""

import ctypes
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from struct import pack

import numpy as np
from numpy.typing import NDArray

from server.wire.library import DONE, Answers, library
from storage.schema import PointId

_POINT_BYTES = 48
"""The most bytes of a point besides its id when that is a string, and its payload."""
_ANSWER_BYTES = 40
_SMALL_BYTES = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerColumns:
    """The points of several answers: those of the first, then those of the second, and so on.

    `ends`: where the points of each end. `totals`: -1 where none is known. `payloads` None: points have none.
    """

    ends: Sequence[int]
    totals: Sequence[int]
    seq: int
    ids: Sequence[PointId]
    versions: Sequence[int]
    scores: NDArray[np.float32]
    payloads: Sequence[bytes] | None


def write_answers(columns: AnswerColumns, field: int) -> bytes | None:
    """Each answer as a QueryResult in `field` of the message around it, as protobuf would write it. None: there is no
    wire library."""
    native = library()
    if native is None:
        return None
    ends, counts = columns.ends, len(columns.ids)
    numbers, key_ends, keys = _ids(columns.ids)
    payloads = columns.payloads
    payload = None if payloads is None else b"".join(payloads)
    asked = Answers(
        len(ends),
        pack(f"<{len(ends)}q", *ends),
        pack(f"<{len(ends)}q", *columns.totals),
        columns.seq,
        numbers,
        key_ends,
        keys,
        pack(f"<{counts}Q", *columns.versions),
        columns.scores.astype("<f4", copy=False).tobytes(),
        None if payloads is None else _ends(payloads),
        payload,
    )
    room = _ANSWER_BYTES * len(ends) + _POINT_BYTES * counts + len(keys) + len(payload or b"")
    out, length = _OWN.room(room), ctypes.c_size_t()
    status = native.hw_answers_encode(ctypes.byref(asked), field, out, room, ctypes.byref(length))
    return ctypes.string_at(out, length.value) if status == DONE else None


class _Own(threading.local):
    """Memory of a thread for small answers."""

    def __init__(self) -> None:
        self._small = ctypes.create_string_buffer(_SMALL_BYTES)

    def room(self, size: int) -> "ctypes.Array[ctypes.c_char]":
        return self._small if size <= _SMALL_BYTES else ctypes.create_string_buffer(size)


_OWN = _Own()


def _ids(ids: Sequence[PointId]) -> tuple[bytes, bytes, bytes]:
    """Ids that are numbers, 0 for others; where ids that are strings end in the bytes of all of them; and these."""
    if str not in set(map(type, ids)):
        return pack(f"<{len(ids)}Q", *ids), bytes(8 * len(ids)), b""
    keys = [point_id.encode() if isinstance(point_id, str) else b"" for point_id in ids]
    numbers = [0 if isinstance(point_id, str) else point_id for point_id in ids]
    return pack(f"<{len(ids)}Q", *numbers), _ends(keys), b"".join(keys)


def _ends(parts: Sequence[bytes]) -> bytes:
    return pack(f"<{len(parts)}q", *accumulate(map(len, parts)))
