"""The best points by BM25 from postings in memory, by the library. planner/text/scoring.py is the twin, and says what a
score is. What postings mean is planner/text/segment.py's.
"""

import ctypes
import math
import struct
from collections.abc import Sequence
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from storage.errors import DeadlineExceeded
from storage.kernels.library import STOPPED, UNSOUND, address, check, contiguous, library

ABSENT = 2**62
"""The code of a term that no point has."""

_ALL = 2**64 - 1
_FEW = 64
_LENGTHS = 32

_QUERY, _FIELD, _UNIT = struct.Struct("=5Q4Qd"), struct.Struct("=4d3Q"), struct.Struct("=2q2d")
_PART, _HITS, _GROUP = struct.Struct("=2Q"), struct.Struct("=3Q"), struct.Struct("=2q2Q")
"""The structures of storage/kernels/source/postings.h."""


class UnitScoring(IntEnum):
    """How a unit adds to scores. The same numbers as in storage/kernels/source/postings.h."""

    UNSCORED = 0
    BY_FREQUENCY = 1
    ALWAYS_ONE = 2


class NativePostings:
    """The postings of some points, checked. It holds the arrays, which must not change."""

    __slots__ = ("_arrays", "_told", "address", "bytes", "points")

    def __init__(
        self,
        slots: NDArray[np.uint32],
        lengths: NDArray[np.int32],
        codes: NDArray[np.int32],
        starts: NDArray[np.int64],
        points: NDArray[np.int32],
        occurrence_starts: NDArray[np.int64],
    ) -> None:
        """Shapes and meanings: see Segment in planner/text/segment.py. Raises ValueError when they cannot be postings.

        Requires: there is a library.
        """
        if len(starts) != len(codes) + 1 or len(occurrence_starts) != len(points) + 1 or len(lengths) != len(slots):
            raise ValueError("arrays of postings have sizes that do not fit each other")
        kinds, least_lengths = np.empty(len(points), np.uint8), np.empty(_LENGTHS, np.int32)
        self._arrays = (
            contiguous(slots, np.uint32),
            contiguous(lengths, np.int32),
            contiguous(codes, np.int32),
            contiguous(starts, np.int64),
            contiguous(points, np.int32),
            contiguous(occurrence_starts, np.int64),
            kinds,
            least_lengths,
        )
        at = [address(array) for array in self._arrays]
        numbers = (*at[:2], len(slots), *at[2:4], len(codes), *at[4:6], len(points), *at[6:])
        self._told = np.array(numbers, np.uint64)
        self.address = address(self._told)
        self.bytes = kinds.nbytes
        self.points = len(slots)
        status = _library().hw_postings_prepare(self.address)
        if status == UNSOUND:
            raise ValueError("postings point outside of their arrays, or are not in order")
        check(status)


class PostingsParts:
    """The parts of a field: postings, and which of their points count, `alive` (points,); None: all."""

    __slots__ = ("_kept", "_told", "address", "count")

    def __init__(self, parts: Sequence[tuple[NativePostings, NDArray[np.bool_] | None]]) -> None:
        packed, self._kept = bytearray(), []
        for postings, alive in parts:
            flags = None if alive is None else contiguous(alive, np.bool_)
            if flags is not None and len(flags) != postings.points:
                raise ValueError("`alive` is not of these points")
            packed += _PART.pack(postings.address, 0 if flags is None else address(flags))
            self._kept.append((postings, flags))
        self._told = np.frombuffer(bytes(packed), np.uint64)
        self.address = address(self._told)
        self.count = len(parts)

    def count_points(self, codes: Sequence[int]) -> list[int]:
        """In how many points each term is."""
        asked, counts = np.array(codes, np.int64), np.empty(len(codes), np.int64)
        _library().hw_postings_count(self.address, self.count, address(asked), len(codes), address(counts))
        return counts.tolist()


class PostingsUnit(NamedTuple):
    """What is looked for in a field: the term `code`, or where it is -1, `hits` for each part of the field.

    Hits are points (n,), ascending integers, and how often each has the unit (n,), at least once. A score by frequency
    is `rarity` times a part that depends on the point, times `repeated`.
    """

    scoring: UnitScoring
    rarity: float = 0.0
    repeated: float = 0.0
    code: int = -1
    hits: Sequence[tuple[NDArray[np.signedinteger], NDArray[np.int64]]] = ()


class PostingsField(NamedTuple):
    """A field with what BM25 needs of it, its parts and its units, in the order in which scores are summed."""

    weight: float
    k1: float
    b: float
    average_length: float
    parts: PostingsParts
    units: Sequence[PostingsUnit]


class PostingsClause(NamedTuple):
    """A condition: a point has it when it has all units of a group, which is not empty. Groups are units by number,
    counted over all fields."""

    is_excluded: bool
    groups: Sequence[Sequence[int]]


class PostingsFound(NamedTuple):
    """Slots and scores (n,) in no order, and how many points match."""

    slots: NDArray[np.uint32]
    scores: NDArray[np.float32]
    matching: int


def search_postings(
    fields: Sequence[PostingsField],
    clauses: Sequence[PostingsClause],
    *,
    takes_largest: bool,
    allowed: NDArray[np.uint32] | None,
    limit: int | None,
    deadline: float | None,
) -> PostingsFound:
    """The best `limit` points (None: all) among `allowed` (ascending; None: all) that have a scored unit and pass all
    clauses, and all that tie with the last of them.

    A score is the sum of the weighted scores of all fields, or the largest. `deadline`: in seconds of time.monotonic().
    Raises DeadlineExceeded, MemoryError.
    """
    kept: list[NDArray[Any]] = []  # what must live until the kernel returns
    about = [_FIELD.pack(*each[:4], each.parts.address, each.parts.count, len(each.units)) for each in fields]
    units = [
        _UNIT.pack(each.code, each.scoring, each.rarity, each.repeated) for field in fields for each in field.units
    ]
    hits = [_packed_hits(*each, kept) for field in fields for unit in field.units for each in unit.hits]
    groups, members = _packed_clauses(clauses) if clauses else ([], [])
    slots = None if allowed is None else contiguous(allowed, np.uint32)
    query = _QUERY.pack(
        len(about),
        len(units),
        len(hits),
        len(groups),
        len(members),
        0 if slots is None else address(slots),
        0 if slots is None else len(slots),
        takes_largest,
        _ALL if limit is None else limit,
        math.inf if deadline is None else deadline,
    )
    packed = b"".join((query, *about, *units, *hits, *groups, struct.pack(f"={len(members)}q", *members)))
    return _search(packed, _FEW if limit is None else limit + _FEW)


def _search(query: bytes, room: int) -> PostingsFound:
    """Asks with room for so many points, and again if there are more."""
    counts = (ctypes.c_uint64 * 2)()
    at = ctypes.addressof(counts)
    while True:
        slots, scores = np.empty(room, np.uint32), np.empty(room, np.float32)
        status = _library().hw_postings_search(query, len(query), address(slots), address(scores), room, at, at + 8)
        if status == STOPPED:
            raise DeadlineExceeded()
        check(status)
        found, matching = counts
        if found <= room:
            return PostingsFound(slots[:found], scores[:found], matching)
        room = found


def _packed_hits(points: NDArray[np.signedinteger], frequencies: NDArray[np.int64], kept: list[NDArray[Any]]) -> bytes:
    of = contiguous(points, np.int32)
    starts = np.concatenate((np.zeros(1, np.int64), np.cumsum(frequencies, dtype=np.int64)))
    kept += (of, starts)
    return _HITS.pack(address(of), address(starts), len(of))


def _packed_clauses(clauses: Sequence[PostingsClause]) -> tuple[list[bytes], list[int]]:
    groups: list[bytes] = []
    members: list[int] = []
    for number, clause in enumerate(clauses):
        for group in clause.groups:
            groups.append(_GROUP.pack(number, clause.is_excluded, len(members), len(group)))
            members += group
    return groups, members


def _library() -> ctypes.CDLL:
    loaded = library()
    if loaded is None:
        raise ValueError("there is no library of kernels")
    return loaded
