"""The text index of one payload path as of one commit: made from payloads, or from the index of another commit.

An index is immutable. Indexes of several commits share segments, and they share the vocabulary, which only grows. How
an index is searched is in postings.py.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from planner.predicate import Step, first_key, parse_path, values_at
from planner.text.analysis import GAP, Analyzer
from planner.text.segment import Mask, Segment, Slots, make_segment, merge_segments
from storage.budget import Budget
from storage.errors import EngineError
from storage.kernels import PostingsParts, has_kernels
from storage.tables import Reader

POINTS_PER_SEGMENT = 16_384
ENTRIES_PER_SEGMENT = 1_000_000
"""A segment is full when it has so many points or so many tokens."""

POINTS_PER_CHECK = 64
"""Points read between two looks at the budget."""

MAX_SIZE_RATIO = 4
"""A segment is merged with the smaller ones after it if it has at most this many times as many points as they."""

MAX_UNUSED_TERMS = 100_000
"""An index is made again when it remembers this many terms more than twice the terms in use."""

MAX_REMEMBERED_TOKENS = 1_000_000
"""Spellings of tokens whose terms are remembered."""

TERM_BYTES = 200
"""About how many bytes a term takes in memory besides its text."""

ALL_SLOTS = 2**32
"""The value of `covered` of a complete index."""


class Vocabulary:
    """The codes of terms. It only grows; one thread at a time adds."""

    def __init__(self, analyzer: Analyzer) -> None:
        self.analyzer = analyzer
        self.codes: dict[str, int] = {}
        self.bytes = 0
        self._tokens: dict[str, tuple[int, ...]] = {}
        self._sorted: list[str] = []

    def of_token(self, token: str) -> tuple[int, ...]:
        """The codes of a token of a text; none if the token is dropped."""
        found = self._tokens.get(token)
        if found is None:
            if len(self._tokens) >= MAX_REMEMBERED_TOKENS:
                self._tokens = {}
            found = self._tokens[token] = tuple(map(self._code, self.analyzer.terms(token)))
        return found

    def starting_with(self, start: str) -> list[int]:
        """Codes of the terms that begin with `start`, in the order of the terms."""
        if len(self._sorted) != len(self.codes):
            self._sorted = sorted(self.codes.copy())
        terms = self._sorted
        found: list[int] = []
        for place in range(bisect_left(terms, start), len(terms)):
            if not terms[place].startswith(start):
                break
            found.append(self.codes[terms[place]])
        return found

    def restore(self, terms: Sequence[str]) -> None:
        """Gives codes to `terms`, in this order, from 0. Requires: the vocabulary is empty."""
        self.codes = dict(zip(terms, range(len(terms)), strict=True))
        self.bytes = TERM_BYTES * len(terms) + sum(map(len, terms))

    def _code(self, term: str) -> int:
        code = self.codes.get(term)
        if code is None:
            code = self.codes[term] = len(self.codes)
            self.bytes += TERM_BYTES + len(term)
        return code


@dataclass(frozen=True, slots=True, eq=False)
class LiveSegment:
    """A segment, and which of its points this commit has (`alive`, a mask; None: all).

    `count` is the number of these points, and `length` is the number of all their tokens.
    """

    segment: Segment
    alive: Mask | None
    count: int
    length: int

    @property
    def mask(self) -> Mask:
        return np.ones(len(self.segment.slots), np.bool_) if self.alive is None else self.alive


@dataclass(frozen=True, slots=True, eq=False)
class TextIndex:
    """The points in slots below `covered` that have a term at `path`, as of commit `seq`."""

    path: str
    seq: int
    vocabulary: Vocabulary
    segments: tuple[LiveSegment, ...] = ()
    covered: int = 0
    native: PostingsParts | None = field(init=False, repr=False)
    """The parts for the kernel; None: there is no library."""

    def __post_init__(self) -> None:
        native = [(live.segment.native, live.alive) for live in self.segments if live.segment.native is not None]
        object.__setattr__(self, "native", PostingsParts(native) if has_kernels() else None)

    @property
    def is_complete(self) -> bool:
        """Whether it covers all points."""
        return self.covered == ALL_SLOTS

    @property
    def count(self) -> int:
        """How many points have a term."""
        return sum(live.count for live in self.segments)

    @property
    def length(self) -> int:
        """The number of all their tokens."""
        return sum(live.length for live in self.segments)

    @property
    def average_length(self) -> float:
        """The mean number of tokens of these points; 0 if there are none."""
        return self.length / self.count if self.segments else 0.0

    @property
    def bytes(self) -> int:
        """Bytes of memory held, about."""
        return self.vocabulary.bytes + sum(
            live.segment.bytes + live.segment.slots.nbytes // 4 for live in self.segments
        )

    @property
    def is_mostly_garbage(self) -> bool:
        """Whether far more terms are remembered than points have."""
        return (
            len(self.vocabulary.codes) > 2 * sum(len(live.segment.codes) for live in self.segments) + MAX_UNUSED_TERMS
        )


def extended(index: TextIndex, reader: Reader, budget: Budget) -> Iterator[TextIndex]:
    """Gives the index again and again, each time with more points, at last with all. Requires: `reader` is of its
    commit.

    Raises DeadlineExceeded or Cancelled, after it gave what was done until then.
    """
    entries = _Entries(index.vocabulary)
    steps = parse_path(index.path)
    for number, (slot, payload) in enumerate(reader.payloads({first_key(index.path)}, start=index.covered)):
        if number % POINTS_PER_CHECK == 0:
            try:
                budget.check()
            except EngineError:
                yield replace(_with_segment(index, entries.segment()), covered=slot)
                raise
        entries.add(slot, texts_at(payload, steps))
        if entries.is_full:
            index = replace(_with_segment(index, entries.segment()), covered=slot + 1)
            yield index
            entries = _Entries(index.vocabulary)
    yield replace(_with_segment(index, entries.segment()), covered=ALL_SLOTS)


def updated(index: TextIndex, reader: Reader, changed: Slots, budget: Budget) -> TextIndex:
    """The index as of the reader's commit. `changed` (ascending) are the slots that differ.

    Raises DeadlineExceeded, Cancelled.
    """
    changed = changed[changed < index.covered]
    steps, keys = parse_path(index.path), {first_key(index.path)}
    entries = _Entries(index.vocabulary)
    for number, record in enumerate(reader.existing(changed)):
        if number % POINTS_PER_CHECK == 0:
            budget.check()
        entries.add(record.slot, texts_at(reader.codec.decode(record.payload, keys), steps))
    left = (_without(live, changed) for live in index.segments)
    kept = replace(index, seq=reader.seq, segments=tuple(live for live in left if live.count))
    return _with_segment(kept, entries.segment())


def texts_at(payload: dict[str, object], steps: tuple[Step, ...]) -> list[str]:
    """The strings at a path, and the strings in arrays there, in order."""
    texts: list[str] = []
    for value in values_at(payload, steps):
        if isinstance(value, str):
            texts.append(value)
        elif isinstance(value, list):
            texts += (element for element in value if isinstance(element, str))
    return texts


class _Entries:
    """Gathers the tokens of points for one segment."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._slots = array("I")
        self._counts = array("q")
        self._codes = array("i")
        self._positions = array("I")

    @property
    def is_full(self) -> bool:
        return len(self._slots) >= POINTS_PER_SEGMENT or len(self._codes) >= ENTRIES_PER_SEGMENT

    def add(self, slot: int, texts: Sequence[str]) -> None:
        """Requires: slots are added in order."""
        if not texts:
            return
        tokens, codes, positions = self._vocabulary.analyzer.tokens, self._codes, self._positions
        of_token, before, position = self._vocabulary.of_token, len(self._codes), 0
        for text in texts:
            for token in tokens(text):
                for code in of_token(token):
                    codes.append(code)
                    positions.append(position)
                position += 1
            position += GAP
        self._slots.append(slot)
        self._counts.append(len(codes) - before)

    def segment(self) -> Segment | None:
        return make_segment(
            np.array(self._slots, np.uint32),
            np.array(self._counts, np.int64),
            np.array(self._codes, np.int32),
            np.array(self._positions, np.uint32),
        )


def _without(live: LiveSegment, slots: Slots) -> LiveSegment:
    """The segment without the points in `slots`. If it has none of them, the same object."""
    held = live.segment.slots
    positions = np.searchsorted(held, slots)
    inside = positions < len(held)
    dead = positions[inside][held[positions[inside]] == slots[inside]]
    if live.alive is not None:
        dead = dead[live.alive[dead]]
    if len(dead) == 0:
        return live
    alive = live.mask.copy()
    alive[dead] = False
    return LiveSegment(live.segment, alive, live.count - len(dead), live.length - int(live.segment.lengths[dead].sum()))


def _with_segment(index: TextIndex, segment: Segment | None) -> TextIndex:
    """The index with one more segment. Small segments before it are merged with it, so that there are few."""
    segments = [*index.segments]
    if segment is not None:
        segments.append(_whole(segment))
    segments = [compacted for live in segments if (compacted := _compacted(live)) is not None]
    segments.sort(key=lambda live: -live.count)
    left = sum(live.count for live in segments)
    for first, live in enumerate(segments[:-1]):
        left -= live.count
        if live.count <= MAX_SIZE_RATIO * left:
            segment = merge_segments([(each.segment, each.mask) for each in segments[first:]])
            segments[first:] = [] if segment is None else [_whole(segment)]
            break
    return replace(index, segments=tuple(segments))


def _compacted(live: LiveSegment) -> LiveSegment | None:
    """The segment without dead points if most are dead; None if all are."""
    if 2 * live.count >= len(live.segment.slots):
        return live
    segment = merge_segments([(live.segment, live.mask)])
    return None if segment is None else _whole(segment)


def _whole(segment: Segment) -> LiveSegment:
    return LiveSegment(segment, None, len(segment.slots), int(segment.lengths.sum()))
