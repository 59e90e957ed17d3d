"""The best points by BM25 from postings in memory, by the library. planner/text/scoring.py is the twin, and says what a
score is. What postings mean is planner/text/segment.py's.
"""

import ctypes
import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from storage.errors import DeadlineExceeded
from storage.kernels.library import STOPPED, UNSOUND, address, check, contiguous, library

ABSENT = 2**62
"""The code of a term that no point has."""

_ALL = 2**64 - 1
_FEW = 64


class UnitScoring(IntEnum):
    """How a unit adds to scores. The same numbers as in storage/kernels/source/postings.h."""

    UNSCORED = 0
    BY_FREQUENCY = 1
    ALWAYS_ONE = 2


class _Postings(ctypes.Structure):
    _fields_ = (
        ("slots", ctypes.c_void_p),
        ("lengths", ctypes.c_void_p),
        ("points", ctypes.c_uint64),
        ("codes", ctypes.c_void_p),
        ("starts", ctypes.c_void_p),
        ("terms", ctypes.c_uint64),
        ("of", ctypes.c_void_p),
        ("place_starts", ctypes.c_void_p),
        ("postings", ctypes.c_uint64),
    )


class _Query(ctypes.Structure):
    _fields_ = (
        ("fields", ctypes.c_char_p),
        ("field_count", ctypes.c_uint64),
        ("parts", ctypes.c_char_p),
        ("part_count", ctypes.c_uint64),
        ("units", ctypes.c_char_p),
        ("unit_count", ctypes.c_uint64),
        ("hits", ctypes.c_char_p),
        ("hit_count", ctypes.c_uint64),
        ("groups", ctypes.c_char_p),
        ("group_count", ctypes.c_uint64),
        ("members", ctypes.c_char_p),
        ("member_count", ctypes.c_uint64),
        ("allowed", ctypes.c_void_p),
        ("allowed_count", ctypes.c_uint64),
        ("largest", ctypes.c_uint64),
        ("limit", ctypes.c_uint64),
        ("deadline", ctypes.c_double),
    )


class NativePostings:
    """The postings of some points, checked. It holds the arrays, which must not change."""

    __slots__ = ("_arrays", "address", "points")

    def __init__(
        self,
        slots: NDArray[np.uint32],
        lengths: NDArray[np.int32],
        codes: NDArray[np.int32],
        starts: NDArray[np.int64],
        points: NDArray[np.int32],
        place_starts: NDArray[np.int64],
    ) -> None:
        """Shapes and meanings: see Segment in planner/text/segment.py. Raises ValueError when they cannot be postings.

        Requires: there is a library.
        """
        loaded = library()
        if loaded is None:
            raise ValueError("there is no library of kernels")
        if len(starts) != len(codes) + 1 or len(place_starts) != len(points) + 1 or len(lengths) != len(slots):
            raise ValueError("arrays of postings have sizes that do not fit each other")
        arrays = (
            contiguous(slots, np.uint32),
            contiguous(lengths, np.int32),
            contiguous(codes, np.int32),
            contiguous(starts, np.int64),
            contiguous(points, np.int32),
            contiguous(place_starts, np.int64),
        )
        at = [address(array) for array in arrays]
        told = _Postings(at[0], at[1], len(slots), at[2], at[3], len(codes), at[4], at[5], len(points))
        status = loaded.hw_postings_check(ctypes.byref(told))
        if status == UNSOUND:
            raise ValueError("postings point outside of their arrays, or are not in order")
        check(status)
        self._arrays = (told, arrays)
        self.address = ctypes.addressof(told)
        self.points = len(slots)


@dataclass(frozen=True, slots=True)
class PostingsPart:
    """Postings of a field, and which of their points count: `alive` (points,); None: all."""

    postings: NativePostings
    alive: NDArray[np.bool_] | None


@dataclass(frozen=True, slots=True)
class PostingsUnit:
    """What is looked for in a field: the term `code`, or where it is -1, `hits` for each part of the field.

    Hits are points (n,), ascending integers, and how often each has the unit (n,), at least once. A score by frequency
    is `rarity` times a part that depends on the point, times `repeated`.
    """

    scoring: UnitScoring
    rarity: float = 0.0
    repeated: float = 0.0
    code: int = -1
    hits: Sequence[tuple[NDArray[np.signedinteger], NDArray[np.int64]]] = ()


@dataclass(frozen=True, slots=True)
class PostingsField:
    """A field with what BM25 needs of it, its parts and its units, in the order in which scores are summed."""

    weight: float
    k1: float
    b: float
    average_length: float
    parts: Sequence[PostingsPart]
    units: Sequence[PostingsUnit]


@dataclass(frozen=True, slots=True)
class PostingsClause:
    """A condition: a point has it when it has all units of a group, which is not empty. Groups are units by number,
    counted over all fields."""

    is_excluded: bool
    groups: Sequence[Sequence[int]]


def search_postings(
    fields: Sequence[PostingsField],
    clauses: Sequence[PostingsClause],
    *,
    takes_largest: bool,
    allowed: NDArray[np.uint32] | None,
    limit: int | None,
    deadline: float | None,
) -> tuple[NDArray[np.uint32], NDArray[np.float32], int]:
    """The best `limit` points (None: all) among `allowed` (ascending; None: all) that have a scored unit and pass all
    clauses, and all that tie with the last of them: slots and scores, in no order; and how many points match.

    A score is the sum of the weighted scores of all fields, or the largest. `deadline`: in seconds of time.monotonic().
    Raises DeadlineExceeded, MemoryError.
    """
    query, kept = _packed(fields, clauses)
    slots = None if allowed is None else contiguous(allowed, np.uint32)
    if slots is not None:
        query.allowed, query.allowed_count = address(slots), len(slots)
    query.largest = takes_largest
    query.limit = _ALL if limit is None else limit
    query.deadline = math.inf if deadline is None else deadline
    found = _search(query, _FEW if limit is None else limit + _FEW)
    del kept, slots  # they had to live until now
    return found


def _search(query: _Query, room: int) -> tuple[NDArray[np.uint32], NDArray[np.float32], int]:
    """Asks with room for so many points, and again if there are more."""
    loaded = library()
    if loaded is None:
        raise ValueError("there is no library of kernels")
    found, matching = ctypes.c_uint64(), ctypes.c_uint64()
    while True:
        slots, scores = np.empty(room, np.uint32), np.empty(room, np.float32)
        status = loaded.hw_postings_search(
            ctypes.byref(query),
            address(slots),
            address(scores),
            room,
            ctypes.byref(found),
            ctypes.byref(matching),
        )
        if status == STOPPED:
            raise DeadlineExceeded()
        check(status)
        if found.value <= room:
            return slots[: found.value], scores[: found.value], matching.value
        room = found.value


def _packed(fields: Sequence[PostingsField], clauses: Sequence[PostingsClause]) -> tuple[_Query, list[Any]]:
    """The query as the kernel reads it, and what must live as long."""
    kept: list[Any] = []
    about, parts, units, hits = bytearray(), bytearray(), bytearray(), bytearray()
    part_count = unit_count = hit_count = 0
    for number, field in enumerate(fields):
        about += struct.pack("=dddd", field.weight, field.k1, field.b, field.average_length)
        for part in field.parts:
            alive = None if part.alive is None else contiguous(part.alive, np.bool_)
            if alive is not None and len(alive) != part.postings.points:
                raise ValueError("`alive` is not of these points")
            kept.append((part.postings, alive))
            parts += struct.pack("=QQq", part.postings.address, 0 if alive is None else address(alive), number)
            part_count += 1
        for unit in field.units:
            units += struct.pack("=qqqdd", number, unit.code, unit.scoring, unit.rarity, unit.repeated)
            unit_count += 1
            for points, frequencies in unit.hits:
                of = contiguous(points, np.int32)
                starts = np.concatenate((np.zeros(1, np.int64), np.cumsum(frequencies, dtype=np.int64)))
                kept.append((of, starts))
                hits += struct.pack("=QQQ", address(of), address(starts), len(of))
                hit_count += 1
    groups, members = _packed_clauses(clauses)
    query = _Query(
        fields=bytes(about),
        field_count=len(fields),
        parts=bytes(parts),
        part_count=part_count,
        units=bytes(units),
        unit_count=unit_count,
        hits=bytes(hits),
        hit_count=hit_count,
        groups=bytes(groups),
        group_count=len(groups) // 32,
        members=bytes(members),
        member_count=len(members) // 8,
    )
    return query, kept


def _packed_clauses(clauses: Sequence[PostingsClause]) -> tuple[bytearray, bytearray]:
    groups, members = bytearray(), bytearray()
    for number, clause in enumerate(clauses):
        for group in clause.groups:
            groups += struct.pack("=qqQQ", number, clause.is_excluded, len(members) // 8, len(group))
            members += struct.pack(f"={len(group)}q", *group)
    return groups, members
