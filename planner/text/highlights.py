"""The parts of a text that a query matched: its tokens, analysed anew, compared with the query's terms."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from planner.query import Highlighting
from planner.text.analysis import Analyzer
from planner.text.syntax import Occur
from planner.text.units import FieldClause, Phrase, Prefix, Term, Unit

Span = tuple[int, int]
"""From, to before, in characters."""


@dataclass(frozen=True, slots=True)
class Highlight:
    """Part `fragment` of string `element` at `path`, which begins at character `offset`; `spans` are within it."""

    path: str
    element: int
    fragment: str
    offset: int
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class _Token:
    """`first_end`: where its first character ends, if it is a pair."""

    terms: tuple[str, ...]
    start: int
    end: int
    first_end: int


@dataclass(frozen=True, slots=True)
class _Match:
    """A token that matches: what of it does, and which units it is part of."""

    start: int
    end: int
    units: frozenset[Unit]


def highlights_of(
    path: str, texts: Sequence[str], clauses: Sequence[FieldClause], analyzer: Analyzer, wanted: Highlighting
) -> list[Highlight]:
    """The best fragments of all texts, in order: those with the most different terms, then the most matches, then the
    first."""
    units = {unit for clause in clauses if clause.occur is not Occur.EXCLUDED for unit in clause.units}
    found: list[tuple[int, int, Highlight]] = []
    for element, text in enumerate(texts):
        tokens = _tokens(text, analyzer)
        matches = _matches(tokens, units)
        numbers = sorted(matches)
        begins = [tokens[number].start for number in numbers]
        for first, last in _windows(tokens, numbers, len(text), wanted.length):
            inside = [matches[number] for number in numbers[bisect_left(begins, first) : bisect_left(begins, last)]]
            different = len(frozenset().union(*(match.units for match in inside)))
            spans = _joined([(match.start - first, min(match.end, last) - first) for match in inside])
            found.append((different, len(inside), Highlight(path, element, text[first:last], first, spans)))
    best = sorted(range(len(found)), key=lambda number: (-found[number][0], -found[number][1], number))
    return [found[number][2] for number in sorted(best[: wanted.fragments])]


def _tokens(text: str, analyzer: Analyzer) -> list[_Token]:
    tokens: list[_Token] = []
    for terms, start, end in analyzer.located(text):
        if tokens and tokens[-1].start < start < tokens[-1].end:
            tokens[-1] = replace(tokens[-1], first_end=start)
        tokens.append(_Token(terms, start, end, end))
    return tokens


def _matches(tokens: Sequence[_Token], units: set[Unit]) -> dict[int, _Match]:
    """The tokens that match, by number."""
    places: dict[str, set[int]] = {}
    for number, token in enumerate(tokens):
        for term in token.terms:
            places.setdefault(term, set()).add(number)
    matches: dict[int, _Match] = {}
    for unit in units:
        for number, term in _numbers(unit, places):
            token, known = tokens[number], matches.get(number)
            end = token.first_end if len(term) == 1 else token.end
            if known is None:
                matches[number] = _Match(token.start, end, frozenset([unit]))
            else:
                matches[number] = _Match(token.start, max(end, known.end), known.units | {unit})
    return matches


def _numbers(unit: Unit, places: dict[str, set[int]]) -> Iterator[tuple[int, str]]:
    """The tokens that a unit matches, by number, and the terms by which it does."""
    match unit:
        case Term(term):
            yield from ((number, term) for number in places.get(term, ()))
        case Prefix(start):
            for term, numbers in places.items():
                if term.startswith(start):
                    yield from ((number, term) for number in numbers)
        case Phrase(terms, offsets):
            placed = list(zip(terms, offsets, strict=True))
            begins = set.intersection(
                *({number - offset for number in places.get(term, ())} for term, offset in placed)
            )
            yield from ((begin + offset, term) for begin in begins for term, offset in placed)


def _joined(spans: Sequence[Span]) -> tuple[Span, ...]:
    """Spans (ascending) with those that overlap as one."""
    joined: list[Span] = []
    for start, end in spans:
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)


def _windows(tokens: Sequence[_Token], matched: Sequence[int], size: int, length: int) -> list[Span]:
    """Parts of a text that hold all matched tokens: about `length` characters each, from token to token; 0: all of it.

    Each begins a little before its first match. One that would begin within the part before begins at its end.
    """
    if not matched:
        return []
    if length == 0 or size <= length:
        return [(0, size)]
    windows: list[Span] = []
    for number in matched:
        token = tokens[number]
        before = windows[-1][1] if windows else 0
        if windows and token.start < before:
            if token.end - windows[-1][0] <= 2 * length:  # a pair is not cut, unless everything matches
                windows[-1] = (windows[-1][0], max(before, token.end))
            continue
        start = max(before, _token_start(tokens, number, max(before, token.start - length // 4)))
        windows.append((start, max(token.end, _token_end(tokens, number, start + length, size))))
    return windows


def _token_start(tokens: Sequence[_Token], number: int, earliest: int) -> int:
    """Where the first token begins, of those up to `number`, that is not before `earliest`."""
    while number > 0 and tokens[number - 1].start >= earliest:
        number -= 1
    return 0 if number == 0 and earliest == 0 else tokens[number].start


def _token_end(tokens: Sequence[_Token], number: int, latest: int, size: int) -> int:
    """Where the last token ends, of those from `number` on, that is not after `latest`; all of the text if it fits."""
    if size <= latest:
        return size
    while number + 1 < len(tokens) and tokens[number + 1].end <= latest:
        number += 1
    return tokens[number].end
