"""The fragments of a text that a query matched.

The text is analysed again, and its tokens are compared with the query's.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import nsmallest

from planner.query import Bm25, Highlighting
from planner.text.analysis import Analyzer
from planner.text.scoring import SearchedField
from planner.text.text_matches import MatchedText, MatchFinder
from planner.text.units import FieldClause
from storage.budget import UNLIMITED, Budget

HIGHLIGHT_OVERHEAD = 8
"""Bytes that a highlight takes at least in a reply, besides its path, its fragment and its spans."""

SPAN_REPLY_BYTES = 4
"""Bytes that a span takes at least in a reply."""

HIGHLIGHT_MEMORY = 400
"""Bytes of memory of a highlight and its message, besides its fragment and its spans."""

SPAN_MEMORY = 200
"""Bytes of memory of a span and its message."""

Span = tuple[int, int]
"""Start and end (exclusive), in characters."""


@dataclass(frozen=True, slots=True)
class Highlight:
    """`fragment` of string number `element` at `path`. It begins at character `offset`; `spans` are relative to it."""

    path: str
    element: int
    fragment: str
    offset: int
    spans: tuple[Span, ...]

    @property
    def reply_bytes(self) -> int:
        """Bytes that it takes at least in a reply."""
        return HIGHLIGHT_OVERHEAD + len(self.path) + len(self.fragment) + SPAN_REPLY_BYTES * len(self.spans)

    @property
    def memory(self) -> int:
        """Bytes of memory of the highlight and its message, about."""
        return HIGHLIGHT_MEMORY + 8 * len(self.fragment) + SPAN_MEMORY * len(self.spans)


@dataclass(frozen=True, slots=True)
class Highlighted:
    """A query by BM25 whose matched parts are returned with the hits, and the fields that it searches."""

    query: Bm25
    fields: tuple[SearchedField, ...]
    wanted: Highlighting


def highlights_of(
    path: str,
    texts: Sequence[str],
    clauses: Sequence[FieldClause],
    analyzer: Analyzer,
    wanted: Highlighting,
    budget: Budget = UNLIMITED,
) -> list[Highlight]:
    """The best fragments of all texts, in order: most different terms first, then most matches, then by position.

    Raises RequestTooLarge, DeadlineExceeded, Cancelled."""
    finder = MatchFinder(analyzer, clauses, budget)
    found = (each for element, text in enumerate(texts) for each in _candidates(path, element, text, finder, wanted))
    best = nsmallest(wanted.fragments, enumerate(found), key=lambda each: (each[1][0], each[0]))
    return [highlight for _, (_, highlight) in sorted(best, key=lambda each: each[0])]


def _candidates(
    path: str, element: int, text: str, finder: MatchFinder, wanted: Highlighting
) -> Iterator[tuple[tuple[int, int], Highlight]]:
    """The fragments of one text, each with a sort key that puts the best first."""
    with finder.matches(text) as found:
        numbers = sorted(found.matches)
        begins = array("L", (found.starts[number] for number in numbers))
        for first, last in _windows(found, numbers, len(text), wanted.length):
            finder.beat()
            inside = numbers[bisect_left(begins, first) : bisect_left(begins, last)]
            different = len(frozenset().union(*{found.matches[number].units for number in inside}))
            spans = _joined((found.starts[number] - first, min(found.end(number), last) - first) for number in inside)
            yield (-different, -len(inside)), Highlight(path, element, text[first:last], first, spans)


def _joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Spans (ascending), where those that overlap are joined."""
    joined: list[Span] = []
    for start, end in spans:
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)


def _windows(tokens: MatchedText, matched: Sequence[int], size: int, length: int) -> Iterator[Span]:
    """Windows of a text that together hold all matched tokens: about `length` characters each, from token to token.

    With `length` 0 there is one window, the whole text. Each window begins a little before its first match. If it would
    begin inside the window before it, it begins at that window's end.
    """
    if not matched:
        return
    if length == 0 or size <= length:
        yield 0, size
        return
    first, before = 0, 0
    for number in matched:
        start, end = tokens.starts[number], tokens.ends[number]
        if start < before:
            if end - first <= 2 * length:  # a pair is not cut, unless one token is far longer than `length`
                before = max(before, end)
            continue
        if before:
            yield first, before
        first = max(before, _token_start(tokens, number, max(before, start - length // 4)))
        before = max(end, _token_end(tokens, number, first + length, size))
    yield first, before


def _token_start(tokens: MatchedText, number: int, earliest: int) -> int:
    """Start of the first token, up to token `number`, that does not begin before `earliest`."""
    while number > 0 and tokens.starts[number - 1] >= earliest:
        number -= 1
    return 0 if number == 0 and earliest == 0 else tokens.starts[number]


def _token_end(tokens: MatchedText, number: int, latest: int, size: int) -> int:
    """End of the last token, from token `number` on, that does not end after `latest`; the end of the text if it
    fits.
    """
    if size <= latest:
        return size
    while number + 1 < len(tokens.ends) and tokens.ends[number + 1] <= latest:
        number += 1
    return tokens.ends[number]
