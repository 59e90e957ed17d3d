"""The text index of one payload path as of one commit: made from payloads, or from the index of another commit.

An index is immutable, and indexes of several commits share what they have in common: segments, and the vocabulary,
which only grows. What it answers is in postings.py.
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
"""Payloads are read into segments of so many points, or of so many tokens, whichever are fewer."""

POINTS_PER_CHECK = 64
"""Points read between two looks at the budget."""

TIER = 4
"""A segment is merged with those after it when it has at most so many times as many points as they."""

GARBAGE = 100_000
"""Terms that no point has any more, before an index is made anew."""

MAX_REMEMBERED_TOKENS = 1_000_000
"""Spellings of tokens whose terms are remembered."""

TERM_BYTES = 200
"""What a term costs in memory besides its text, about."""

WHOLE = 2**32
"""`covered` of an index of all points."""


class Vocabulary:
    """Codes of terms. Only grows; one thread at a time adds."""

    def __init__(self, analyzer: Analyzer) -> None:
        self.analyzer = analyzer
        self.codes: dict[str, int] = {}
        self.bytes = 0
        self._tokens: dict[str, tuple[int, ...]] = {}
        self._sorted: list[str] = []

    def of_token(self, token: str) -> tuple[int, ...]:
        """The codes of a token of a text, none when it is dropped."""
        found = self._tokens.get(token)
        if found is None:
            if len(self._tokens) >= MAX_REMEMBERED_TOKENS:
                self._tokens = {}
            found = self._tokens[token] = tuple(map(self._code, self.analyzer.terms(token)))
        return found

    def starting_with(self, start: str) -> list[int]:
        """Codes of the terms that start so, in the order of the terms."""
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
        """Gives terms, in this order, codes from 0. Requires: it is empty."""
        self.codes = dict(zip(terms, range(len(terms)), strict=True))
        self.bytes = TERM_BYTES * len(terms) + sum(map(len, terms))

    def _code(self, term: str) -> int:
        code = self.codes.get(term)
        if code is None:
            code = self.codes[term] = len(self.codes)
            self.bytes += TERM_BYTES + len(term)
        return code


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A segment, which of its points this commit has (None: all), how many they are, and their tokens in all."""

    segment: Segment
    alive: Mask | None
    count: int
    length: int

    @property
    def mask(self) -> Mask:
        return np.ones(len(self.segment.slots), np.bool_) if self.alive is None else self.alive


@dataclass(frozen=True, slots=True, eq=False)
class TextIndex:
    """The points that have a term at `path`, as of commit `seq`, of those in slots below `covered`."""

    path: str
    seq: int
    vocabulary: Vocabulary
    parts: tuple[Part, ...] = ()
    covered: int = 0
    native: PostingsParts | None = field(init=False, repr=False)
    """The parts for the kernel; None: there is no library."""

    def __post_init__(self) -> None:
        native = [(part.segment.native, part.alive) for part in self.parts if part.segment.native is not None]
        object.__setattr__(self, "native", PostingsParts(native) if has_kernels() else None)

    @property
    def is_complete(self) -> bool:
        """Whether it is of all points."""
        return self.covered == WHOLE

    @property
    def count(self) -> int:
        """Points that have a term."""
        return sum(part.count for part in self.parts)

    @property
    def length(self) -> int:
        """Their tokens, together."""
        return sum(part.length for part in self.parts)

    @property
    def average_length(self) -> float:
        """Their mean number of tokens; 0 without points."""
        return self.length / self.count if self.parts else 0.0

    @property
    def bytes(self) -> int:
        """Memory held, about."""
        return self.vocabulary.bytes + sum(part.segment.bytes + part.segment.slots.nbytes // 4 for part in self.parts)

    @property
    def is_mostly_garbage(self) -> bool:
        """Whether far more terms are remembered than points have."""
        return len(self.vocabulary.codes) > 2 * sum(len(part.segment.codes) for part in self.parts) + GARBAGE


def extended(index: TextIndex, reader: Reader, budget: Budget) -> Iterator[TextIndex]:
    """The index with more points each time, at last with all. Requires: the reader is of its commit.

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
    yield replace(_with_segment(index, entries.segment()), covered=WHOLE)


def updated(index: TextIndex, reader: Reader, changed: Slots, budget: Budget) -> TextIndex:
    """The index as of the reader's commit; `changed` (ascending) are the slots that differ.

    Raises DeadlineExceeded or Cancelled.
    """
    changed = changed[changed < index.covered]
    steps, keys = parse_path(index.path), {first_key(index.path)}
    entries = _Entries(index.vocabulary)
    for number, record in enumerate(reader.existing(changed)):
        if number % POINTS_PER_CHECK == 0:
            budget.check()
        entries.add(record.slot, texts_at(reader.codec.decode(record.payload, keys), steps))
    left = (_without(part, changed) for part in index.parts)
    kept = replace(index, seq=reader.seq, parts=tuple(part for part in left if part.count))
    return _with_segment(kept, entries.segment())


def texts_at(payload: dict[str, object], steps: tuple[Step, ...]) -> list[str]:
    """The strings at a path, and those in arrays there, in order."""
    texts: list[str] = []
    for value in values_at(payload, steps):
        if isinstance(value, str):
            texts.append(value)
        elif isinstance(value, list):
            texts += (element for element in value if isinstance(element, str))
    return texts


class _Entries:
    """Tokens of points, gathered for a segment."""

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


def _without(part: Part, slots: Slots) -> Part:
    """The part without the points in `slots`; the same object when it has none of them."""
    held = part.segment.slots
    places = np.searchsorted(held, slots)
    inside = places < len(held)
    dead = places[inside][held[places[inside]] == slots[inside]]
    if part.alive is not None:
        dead = dead[part.alive[dead]]
    if len(dead) == 0:
        return part
    alive = part.mask.copy()
    alive[dead] = False
    return Part(part.segment, alive, part.count - len(dead), part.length - int(part.segment.lengths[dead].sum()))


def _with_segment(index: TextIndex, segment: Segment | None) -> TextIndex:
    """The index with one more segment, merged with small ones before it so that there are few."""
    parts = [*index.parts]
    if segment is not None:
        parts.append(_part(segment))
    parts = [compacted for part in parts if (compacted := _compacted(part)) is not None]
    parts.sort(key=lambda part: -part.count)
    left = sum(part.count for part in parts)
    for first, part in enumerate(parts[:-1]):
        left -= part.count
        if part.count <= TIER * left:
            segment = merge_segments([(each.segment, each.mask) for each in parts[first:]])
            parts[first:] = [] if segment is None else [_part(segment)]
            break
    return replace(index, parts=tuple(parts))


def _compacted(part: Part) -> Part | None:
    """The part without dead points if they are most of it; None if they are all of it."""
    if 2 * part.count >= len(part.segment.slots):
        return part
    segment = merge_segments([(part.segment, part.mask)])
    return None if segment is None else _part(segment)


def _part(segment: Segment) -> Part:
    return Part(segment, None, len(segment.slots), int(segment.lengths.sum()))
