"""Where the units of a query are found: in which points, how often, and how long these are. It knows no scores."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.text.index import LiveSegment, TextIndex
from planner.text.segment import Segment, Slots
from planner.text.units import Phrase, Prefix, Term, Unit
from storage.budget import Budget
from storage.kernels import ABSENT

TERMS_PER_CHECK = 1_024
"""Terms of a prefix that are looked up between two looks at the budget."""


@dataclass(frozen=True, slots=True)
class Found:
    """The points that have a unit, each once.

    Their slots (uint32), how often each has the unit, and how many tokens each has (int64), all (n,).
    """

    slots: Slots
    frequencies: NDArray[np.int64]
    lengths: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.slots)


Hits = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Points of a segment, dead ones too, and how often each has the unit."""

_NONE = (np.empty(0, np.int64), np.empty(0, np.int64))


def find(index: TextIndex, unit: Unit, budget: Budget) -> Found:
    """Raises DeadlineExceeded or Cancelled as `budget` says."""
    found = zip(index.segments, hits(index, unit, budget), strict=True)
    return _put_together([_alive(live, each) for live, each in found])


def hits(index: TextIndex, unit: Unit, budget: Budget) -> list[Hits]:
    """For each segment of the index. Raises DeadlineExceeded or Cancelled as `budget` says."""
    budget.check()
    codes = _codes(index, unit)
    if codes is None:
        return [_NONE for _ in index.segments]
    return [_hits(live.segment, unit, codes, budget) for live in index.segments]


def point_counts(index: TextIndex, terms: Sequence[str]) -> list[int]:
    """How many points have each term."""
    codes = [index.vocabulary.codes.get(term, ABSENT) for term in terms]
    if index.native is not None:
        return index.native.count_points(codes)
    return [_point_count(index, code) for code in codes]


def _point_count(index: TextIndex, code: int) -> int:
    counts = 0
    for part in index.segments if code != ABSENT else ():
        points = part.segment.points[part.segment.postings(code)]
        counts += len(points) if part.alive is None else int(np.count_nonzero(part.alive[points]))
    return counts


def _codes(index: TextIndex, unit: Unit) -> list[int] | None:
    """The codes of a unit's terms; None if nothing can match."""
    known = index.vocabulary.codes
    match unit:
        case Term(term):
            return [known[term]] if term in known else None
        case Phrase(terms):
            return [known[term] for term in terms] if all(term in known for term in terms) else None
        case Prefix(start):
            return index.vocabulary.starting_with(start)


def _hits(segment: Segment, unit: Unit, codes: list[int], budget: Budget) -> Hits:
    match unit:
        case Term():
            postings = segment.postings(codes[0])
            return segment.points[postings].astype(np.int64), segment.frequencies(postings)
        case Phrase(offsets=offsets):
            return _phrase_hits(segment, codes, offsets)
        case Prefix():
            return _any_hits(segment, codes, budget)


def _phrase_hits(segment: Segment, codes: list[int], offsets: tuple[int, ...]) -> Hits:
    """A phrase begins where each of its terms is at its offset: beginnings are numbers of point and position."""
    rarest, *others = sorted(zip(codes, offsets, strict=True), key=lambda pair: _size(segment, pair[0]))
    begins = _begins(segment, *rarest)
    for code, offset in others:
        if len(begins) == 0:
            break
        begins = np.intersect1d(begins, _begins(segment, code, offset), assume_unique=True)
    return _counted(begins >> 32)


def _begins(segment: Segment, code: int, offset: int) -> NDArray[np.int64]:
    """Where a phrase would begin that has this term at this offset: point << 32 | position."""
    points, positions = segment.occurrences(segment.postings(code))
    possible = positions >= offset
    begins: NDArray[np.int64] = points[possible] << 32 | positions[possible] - offset
    return begins


def _any_hits(segment: Segment, codes: list[int], budget: Budget) -> Hits:
    found: list[NDArray[np.int32]] = [np.empty(0, np.int32)]
    for number, code in enumerate(codes):
        if number % TERMS_PER_CHECK == 0:
            budget.check()
        found.append(segment.points[segment.postings(code)])
    return _counted(np.concatenate(found).astype(np.int64))


def _counted(points: NDArray[np.int64]) -> Hits:
    distinct, counts = np.unique(points, return_counts=True)
    return distinct, counts.astype(np.int64)


def _size(segment: Segment, code: int) -> int:
    postings = segment.postings(code)
    return int(postings.stop) - int(postings.start)


def _alive(live: LiveSegment, hits: Hits) -> Found:
    points, frequencies = hits
    if live.alive is not None:
        alive = live.alive[points]
        points, frequencies = points[alive], frequencies[alive]
    return Found(live.segment.slots[points], frequencies, live.segment.lengths[points].astype(np.int64))


def _put_together(segments: list[Found]) -> Found:
    if len(segments) == 1:
        return segments[0]
    return Found(
        np.concatenate([np.empty(0, np.uint32), *(live.slots for live in segments)]),
        np.concatenate([np.empty(0, np.int64), *(live.frequencies for live in segments)]),
        np.concatenate([np.empty(0, np.int64), *(live.lengths for live in segments)]),
    )
