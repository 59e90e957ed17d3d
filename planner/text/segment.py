"""Postings of some points, immutable: which have a term, how often and where. index.py puts segments together."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from storage.kernels import NativePostings, has_kernels

Slots = NDArray[np.uint32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """d points with t terms, p postings (a term in a point) and n places (a term in a point at a position).

    Of point i: `slots` (uint32, (d,), ascending) and `lengths` (int32, (d,)), its number of tokens. Of term i: `codes`
    (int32, (t,), ascending), and its postings from `starts[i]` to `starts[i + 1]` (int64, (t + 1,)). Of posting i: its
    point `points` (int32, (p,), ascending per term), and its places from `place_starts[i]` on (int64, (p + 1,)). Of
    place i: `positions` (uint32, (n,), ascending per posting).
    """

    slots: Slots
    lengths: NDArray[np.int32]
    codes: NDArray[np.int32]
    starts: NDArray[np.int64]
    points: NDArray[np.int32]
    place_starts: NDArray[np.int64]
    positions: NDArray[np.uint32]
    native: NativePostings | None = field(init=False, repr=False)
    """The same for the kernel; None: there is no library."""

    def __post_init__(self) -> None:
        """Raises ValueError where there is a library, and the arrays cannot be those of a segment."""
        native = None
        if has_kernels():
            arrays = (self.slots, self.lengths, self.codes, self.starts, self.points, self.place_starts)
            native = NativePostings(*arrays)
        object.__setattr__(self, "native", native)

    @property
    def bytes(self) -> int:
        """Memory held."""
        arrays = (self.slots, self.lengths, self.codes, self.starts, self.points, self.place_starts, self.positions)
        return sum(array.nbytes for array in arrays) + (0 if self.native is None else self.native.bytes)

    def postings(self, code: int) -> slice:
        """The postings of a term; empty when no point has it."""
        place = int(np.searchsorted(self.codes, np.int32(code)))  # another type would copy all codes
        if place == len(self.codes) or self.codes[place] != code:
            return slice(0, 0)
        return slice(int(self.starts[place]), int(self.starts[place + 1]))

    def frequencies(self, postings: slice) -> NDArray[np.int64]:
        """How often the term is in the point of each posting."""
        return self.place_starts[postings.start + 1 : postings.stop + 1] - self.place_starts[postings]

    def places(self, postings: slice) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Point and position of each place of a term."""
        inside = slice(int(self.place_starts[postings.start]), int(self.place_starts[postings.stop]))
        points = np.repeat(self.points[postings], self.frequencies(postings))
        return points.astype(np.int64), self.positions[inside].astype(np.int64)


def make_segment(
    slots: Slots, counts: NDArray[np.int64], codes: NDArray[np.int32], positions: NDArray[np.uint32]
) -> Segment | None:
    """The segment of points `slots` (ascending), the next `counts[i]` entries of `codes` and `positions` each.

    Entries with a negative code are tokens that were dropped. Points without any other are left out: None without any.
    """
    kept = codes >= 0
    points = np.repeat(np.arange(len(slots), dtype=np.int32), counts)[kept]
    codes, positions = codes[kept], positions[kept]
    if len(codes) == 0:
        return None
    first = _changes(points, positions)  # a token that is several terms counts once
    lengths = np.bincount(points[first], minlength=len(slots)).astype(np.int32)
    held = lengths > 0
    numbers = np.cumsum(held, dtype=np.int32) - 1
    order = np.argsort(codes, kind="stable")
    return _from_sorted(slots[held], lengths[held], codes[order], numbers[points[order]], positions[order])


def merge_segments(parts: Sequence[tuple[Segment, Mask]]) -> Segment | None:
    """One segment of the points that each mask (d,) keeps; None when there is none. No slot is kept twice."""
    kept = [(segment, alive) for segment, alive in parts if alive.any()]
    if not kept:
        return None
    slots = np.concatenate([segment.slots[alive] for segment, alive in kept])
    lengths = np.concatenate([segment.lengths[alive] for segment, alive in kept])
    by_slot = np.argsort(slots)
    slots, lengths = slots[by_slot], lengths[by_slot]
    codes, points, positions = [], [], []
    for segment, alive in kept:
        frequencies = np.diff(segment.place_starts)
        of_place = np.repeat(segment.points, frequencies)
        inside = alive[of_place]
        code_of_posting = np.repeat(segment.codes, np.diff(segment.starts))
        codes.append(np.repeat(code_of_posting, frequencies)[inside])
        points.append(np.searchsorted(slots, segment.slots)[of_place[inside]])
        positions.append(segment.positions[inside])
    all_codes, all_points = np.concatenate(codes), np.concatenate(points)
    # Places of one posting stand together and in order in their segment, and stay so.
    order = np.argsort(all_codes.astype(np.int64) << 32 | all_points, kind="stable")
    sorted_points = all_points[order].astype(np.int32)
    return _from_sorted(slots, lengths, all_codes[order], sorted_points, np.concatenate(positions)[order])


def _from_sorted(
    slots: Slots,
    lengths: NDArray[np.int32],
    codes: NDArray[np.int32],
    points: NDArray[np.int32],
    positions: NDArray[np.uint32],
) -> Segment:
    """`codes`, `points` and `positions` (n,) are sorted by code, then point, then position."""
    place_starts = _changes(codes, points)
    posting_codes = codes[place_starts]
    starts = _changes(posting_codes)
    return Segment(
        slots=slots,
        lengths=lengths,
        codes=posting_codes[starts],
        starts=np.append(starts, len(posting_codes)),
        points=points[place_starts],
        place_starts=np.append(place_starts, len(codes)),
        positions=positions,
    )


def _changes(*columns: NDArray[np.int32] | NDArray[np.uint32]) -> NDArray[np.int64]:
    """Where a row differs from the one before, the first row included."""
    differs = np.ones(len(columns[0]), np.bool_)
    if len(differs):
        differs[1:] = False
        for column in columns:
            differs[1:] |= column[1:] != column[:-1]
    return np.flatnonzero(differs)
