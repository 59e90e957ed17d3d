"""The parts of a text that a query matched: its tokens, analysed anew, compared with the query's terms."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from planner.text.analysis import Analyzer
from planner.text.bm25_query import Highlighting
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
    terms: tuple[str, ...]
    start: int
    end: int


def highlights_of(
    path: str, texts: Sequence[str], clauses: Sequence[FieldClause], analyzer: Analyzer, wanted: Highlighting
) -> list[Highlight]:
    """The best fragments of all texts, in order: those with the most different terms, then the most matches, then the
    first."""
    units = {unit for clause in clauses if clause.occur is not Occur.EXCLUDED for unit in clause.units}
    found: list[tuple[int, int, Highlight]] = []
    for element, text in enumerate(texts):
        tokens = [_Token(*located) for located in analyzer.located(text)]
        matched = _matched(tokens, units)
        numbers = sorted(matched)
        begins = [tokens[number].start for number in numbers]
        for first, last in _windows(tokens, numbers, len(text), wanted.length):
            inside = numbers[bisect_left(begins, first) : bisect_left(begins, last)]
            different = len(set().union(*(matched[number] for number in inside)))
            spans = tuple((tokens[number].start - first, tokens[number].end - first) for number in inside)
            found.append((different, len(inside), Highlight(path, element, text[first:last], first, spans)))
    best = sorted(range(len(found)), key=lambda number: (-found[number][0], -found[number][1], number))
    return [found[number][2] for number in sorted(best[: wanted.fragments])]


def _matched(tokens: Sequence[_Token], units: set[Unit]) -> dict[int, set[Unit]]:
    """The units that each matching token is part of, by the token's number."""
    matched: dict[int, set[Unit]] = {}
    places: dict[str, set[int]] = {}
    for number, token in enumerate(tokens):
        for term in token.terms:
            places.setdefault(term, set()).add(number)
    for unit in units:
        for number in _numbers(unit, places):
            matched.setdefault(number, set()).add(unit)
    return matched


def _numbers(unit: Unit, places: dict[str, set[int]]) -> set[int]:
    match unit:
        case Term(term):
            return places.get(term, set())
        case Prefix(start):
            return set().union(*(numbers for term, numbers in places.items() if term.startswith(start)))
        case Phrase(terms, offsets):
            begins = set.intersection(
                *(
                    {number - offset for number in places.get(term, ())}
                    for term, offset in zip(terms, offsets, strict=True)
                )
            )
            return {begin + offset for begin in begins for offset in offsets}


def _windows(tokens: Sequence[_Token], matched: Sequence[int], size: int, length: int) -> list[Span]:
    """Parts of a text that hold all matched tokens: about `length` characters each, from token to token; 0: all of it.

    Each begins a little before its first match.
    """
    if not matched:
        return []
    if length == 0 or size <= length:
        return [(0, size)]
    windows: list[Span] = []
    for number in matched:
        token = tokens[number]
        if windows and token.end <= windows[-1][1]:
            continue
        before = windows[-1][1] if windows else 0
        start = _token_start(tokens, number, max(before, token.start - length // 4))
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
