"""Postings of some points, immutable: which points have a term, how often and where. index.py combines segments."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from storage.kernels import NativePostings, has_kernels

Slots = NDArray[np.uint32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """d points with t terms, p postings (a term in a point) and n occurrences (a term in a point at a position).

    Point i has `slots[i]` (uint32, (d,), ascending) and `lengths[i]` tokens (int32, (d,)). Term i has `codes[i]`
    (int32, (t,), ascending), and its postings go from `starts[i]` to `starts[i + 1]` (int64, (t + 1,)). Posting i has
    the point `points[i]` (int32, (p,), ascending per term), and its occurrences go from `occurrence_starts[i]` to
    `occurrence_starts[i + 1]` (int64, (p + 1,)). Occurrence i is at `positions[i]` (uint32, (n,), ascending per
    posting).
    """

    slots: Slots
    lengths: NDArray[np.int32]
    codes: NDArray[np.int32]
    starts: NDArray[np.int64]
    points: NDArray[np.int32]
    occurrence_starts: NDArray[np.int64]
    positions: NDArray[np.uint32]
    native: NativePostings | None = field(init=False, repr=False)
    """The same for the kernel; None: there is no library."""

    def __post_init__(self) -> None:
        """Raises ValueError where there is a library, and the arrays cannot be those of a segment."""
        native = None
        if has_kernels():
            arrays = (self.slots, self.lengths, self.codes, self.starts, self.points, self.occurrence_starts)
            native = NativePostings(*arrays)
        object.__setattr__(self, "native", native)

    @property
    def bytes(self) -> int:
        """Memory held."""
        arrays = (
            self.slots,
            self.lengths,
            self.codes,
            self.starts,
            self.points,
            self.occurrence_starts,
            self.positions,
        )
        return sum(array.nbytes for array in arrays) + (0 if self.native is None else self.native.bytes)

    def postings(self, code: int) -> slice:
        """The postings of a term; empty when no point has it."""
        number = int(np.searchsorted(self.codes, np.int32(code)))  # another type would copy all codes
        if number == len(self.codes) or self.codes[number] != code:
            return slice(0, 0)
        return slice(int(self.starts[number]), int(self.starts[number + 1]))

    def frequencies(self, postings: slice) -> NDArray[np.int64]:
        """How often each posting's point has the term: int64, one per posting."""
        return self.occurrence_starts[postings.start + 1 : postings.stop + 1] - self.occurrence_starts[postings]

    def occurrences(self, postings: slice) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Point and position of each occurrence in `postings`, both int64."""
        inside = slice(int(self.occurrence_starts[postings.start]), int(self.occurrence_starts[postings.stop]))
        points = np.repeat(self.points[postings], self.frequencies(postings))
        return points.astype(np.int64), self.positions[inside].astype(np.int64)


def make_segment(
    slots: Slots, counts: NDArray[np.int64], codes: NDArray[np.int32], positions: NDArray[np.uint32]
) -> Segment | None:
    """The segment of the points `slots` (ascending). Point i has the next `counts[i]` entries of `codes` and
    `positions`.

    A negative code is a token that was dropped. Points without other tokens are left out. None if no point is left.
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
    """One segment of the points that each mask (d,) keeps; None if no point is kept.

    Requires: no slot is kept twice.
    """
    kept = [(segment, alive) for segment, alive in parts if alive.any()]
    if not kept:
        return None
    slots = np.concatenate([segment.slots[alive] for segment, alive in kept])
    lengths = np.concatenate([segment.lengths[alive] for segment, alive in kept])
    by_slot = np.argsort(slots)
    slots, lengths = slots[by_slot], lengths[by_slot]
    codes, points, positions = [], [], []
    for segment, alive in kept:
        frequencies = np.diff(segment.occurrence_starts)
        of_occurrence = np.repeat(segment.points, frequencies)
        inside = alive[of_occurrence]
        code_of_posting = np.repeat(segment.codes, np.diff(segment.starts))
        codes.append(np.repeat(code_of_posting, frequencies)[inside])
        points.append(np.searchsorted(slots, segment.slots)[of_occurrence[inside]])
        positions.append(segment.positions[inside])
    all_codes, all_points = np.concatenate(codes), np.concatenate(points)
    # In its segment, the occurrences of one posting stand together and in order. A stable sort keeps them so.
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
    """The segment of entries (n,) that are sorted by code, then point, then position."""
    occurrence_starts = _changes(codes, points)
    posting_codes = codes[occurrence_starts]
    starts = _changes(posting_codes)
    return Segment(
        slots=slots,
        lengths=lengths,
        codes=posting_codes[starts],
        starts=np.append(starts, len(posting_codes)),
        points=points[occurrence_starts],
        occurrence_starts=np.append(occurrence_starts, len(codes)),
        positions=positions,
    )


def _changes(*columns: NDArray[np.int32] | NDArray[np.uint32]) -> NDArray[np.int64]:
    """The rows that differ from the row before them, and the first row."""
    differs = np.ones(len(columns[0]), np.bool_)
    if len(differs):
        differs[1:] = False
        for column in columns:
            differs[1:] |= column[1:] != column[:-1]
    return np.flatnonzero(differs)
