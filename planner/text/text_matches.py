"""The tokens of one text that a query matches. Its memory is counted, and it stops when the budget ends.

A token is kept as two numbers. The terms of equal tokens are made once. highlights.py uses the matches.
"""

from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from planner.text.analysis import Analyzer
from planner.text.syntax import Occur
from planner.text.tokens import located_tokens
from planner.text.units import FieldClause, Phrase, Prefix, Term, Unit
from storage.budget import Budget

TOKENS_PER_CHECK = 1_024
"""Tokens between two looks at the budget: some milliseconds."""

MAX_KNOWN_TOKENS = 16_384
"""Different tokens whose matches are remembered: more than most texts have."""

_CHARACTER_BYTES = 24  # of a text that is spelled anew, to remember where each character was
_TOKEN_BYTES = 16
_MATCH_BYTES = 160  # of a match, with its number in a sorted list


@dataclass(frozen=True, slots=True)
class Match:
    """The units that a token is part of.

    `is_whole`: the whole token is marked, not only the first character of a pair.
    """

    units: frozenset[Unit]
    is_whole: bool


_NONE = Match(frozenset(), False)


@dataclass(slots=True)
class MatchedText:
    """Start and end (exclusive) of each token, in characters, and the match of each token number that matches."""

    starts: "array[int]" = field(default_factory=lambda: array("L"))
    ends: "array[int]" = field(default_factory=lambda: array("L"))
    matches: dict[int, Match] = field(default_factory=dict)

    def end(self, number: int) -> int:
        """The end (exclusive) of what is marked of a matched token. Of a pair, this may be only its first character."""
        end, following = self.ends[number], number + 1
        if self.matches[number].is_whole or following == len(self.starts):
            return end
        return self.starts[following] if self.starts[number] < self.starts[following] < end else end


@dataclass(frozen=True, slots=True)
class _Known:
    """What a token matches by itself, and which of its terms are in phrases."""

    match: Match | None
    terms: tuple[str, ...]


class MatchFinder:
    """Finds what clauses match in texts. For one thread, since its analyzer is."""

    def __init__(self, analyzer: Analyzer, clauses: Sequence[FieldClause], budget: Budget) -> None:
        units = {unit for clause in clauses if clause.occur is not Occur.EXCLUDED for unit in clause.units}
        self._analyzer = analyzer
        self._budget = budget
        self.beat: Callable[[], None] = budget.pulse()
        self._terms = {unit.term: unit for unit in units if isinstance(unit, Term)}
        self._prefixes = {unit.start: unit for unit in units if isinstance(unit, Prefix)}
        self._lengths = sorted({len(start) for start in self._prefixes})
        self._phrases = [unit for unit in units if isinstance(unit, Phrase)]
        self._in_phrases = {term for phrase in self._phrases for term in phrase.terms}
        self._known: dict[str, _Known] = {}
        self._matches: dict[Match, Match] = {}

    @contextmanager
    def matches(self, text: str) -> Iterator[MatchedText]:
        """The tokens of `text`. Their memory is counted as long as the context lasts.

        Raises RequestTooLarge, DeadlineExceeded, Cancelled.
        """
        size = 0 if text.isascii() else _CHARACTER_BYTES * len(text)
        with self._budget.holding(size, "a text that is highlighted"):
            found, held = MatchedText(), 0
            places: dict[str, array[int]] = {}
            try:
                for number, (token, start, end) in enumerate(
                    located_tokens(self._analyzer.settings.tokenizer, text, self.beat)
                ):
                    if number % TOKENS_PER_CHECK == 0:
                        held += self._hold(found, places, held)
                    found.starts.append(start)
                    found.ends.append(end)
                    known = self._known.get(token) or self._learn(token)
                    if known.match is not None:
                        found.matches[number] = known.match
                    for term in known.terms:
                        places.setdefault(term, array("L")).append(number)
                for phrase in self._phrases:
                    self._match_phrase(phrase, places, found)
                held += self._hold(found, places, held)
                yield found
            finally:
                self._budget.meter.release(held)

    def _hold(self, found: MatchedText, places: dict[str, "array[int]"], held: int) -> int:
        """Counts the memory that came after the first `held` bytes. Returns how many bytes these are."""
        self.beat()
        kept = len(found.starts) + sum(map(len, places.values()))
        size = _TOKEN_BYTES * (kept + TOKENS_PER_CHECK) + _MATCH_BYTES * (len(found.matches) + TOKENS_PER_CHECK) - held
        self._budget.hold(size, "the matches of a text that is highlighted")
        return size

    def _learn(self, token: str) -> _Known:
        if len(self._known) >= MAX_KNOWN_TOKENS:
            self._known.clear()
        terms = self._analyzer.terms(token)
        match: Match | None = None
        for term in terms:
            for unit in self._units(term):
                match = self._merged(match, unit, len(term) > 1)
        known = self._known[token] = _Known(match, tuple(term for term in terms if term in self._in_phrases))
        return known

    def _units(self, term: str) -> Iterator[Unit]:
        if term in self._terms:
            yield self._terms[term]
        for length in self._lengths:
            if length <= len(term) and term[:length] in self._prefixes:
                yield self._prefixes[term[:length]]

    def _merged(self, match: Match | None, unit: Unit, is_whole: bool) -> Match:
        """`match` with `unit` added. Equal matches are one object, to save memory."""
        old = match or _NONE
        if unit in old.units and (old.is_whole or not is_whole):
            return old
        new = Match(old.units | {unit}, old.is_whole or is_whole)
        return self._matches.setdefault(new, new)

    def _match_phrase(self, phrase: Phrase, places: dict[str, "array[int]"], found: MatchedText) -> None:
        """Marks the tokens of a phrase wherever the phrase is. It begins with the rarest term."""
        placed = sorted(zip(phrase.terms, phrase.offsets, strict=True), key=lambda each: len(places.get(each[0], ())))
        begins: set[int] | None = None
        for term, offset in placed:
            self.beat()
            here = {number - offset for number in places.get(term, ())}
            begins = here if begins is None else begins & here
            if not begins:
                return
        for begin in sorted(begins or ()):
            self.beat()
            for term, offset in placed:
                number = begin + offset
                found.matches[number] = self._merged(found.matches.get(number), phrase, len(term) > 1)
