"""What a query asks of one field: its clauses as terms of that field's index, and which words have no term there.

A word that the index drops because of its length cannot be found, so a clause that needs it matches nothing. Stop
words, and tokens that are no words, are dropped from texts and queries alike. They set no condition. In a phrase, any
word may stand where such a word was.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from planner.predicate import has_unspaced, is_pair, spelled
from planner.text.analysis import Analyzer, Dropped
from planner.text.syntax import Clause, Occur


@dataclass(frozen=True, slots=True)
class Term:
    """The points that have the term."""

    term: str


@dataclass(frozen=True, slots=True)
class Phrase:
    """The points that have all `terms` in one string, each of them `offsets[i]` positions after the first."""

    terms: tuple[str, ...]
    offsets: tuple[int, ...]

    @property
    def as_terms(self) -> tuple[Term, ...]:
        return tuple(map(Term, self.terms))


@dataclass(frozen=True, slots=True)
class Prefix:
    """The points that have a term which starts with `start`."""

    start: str


Unit = Term | Phrase | Prefix


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A word of a clause that is not searched for as it is written.

    `why` None: only a beginning of it is searched for.
    """

    text: str
    why: Dropped | None


@dataclass(frozen=True, slots=True)
class FieldClause:
    """A clause in one field. If it is optional, any unit may match; else all must.

    `is_impossible`: the clause needs a word that the index cannot have, so no point matches it. A clause without units
    that is not impossible asks nothing of this field.
    """

    occur: Occur
    units: tuple[Unit, ...]
    left_out: tuple[LeftOut, ...] = ()
    is_impossible: bool = False

    @property
    def is_condition(self) -> bool:
        """Whether points must match it, or must not match it."""
        return self.occur is not Occur.OPTIONAL and (self.is_impossible or bool(self.units))


_Word = list[tuple[str, int]]
"""The tokens of a word, each with its position in the clause. A run of pairs has several."""

_UNFINDABLE = (Dropped.TOO_SHORT, Dropped.TOO_LONG)


def field_clauses(clauses: Sequence[Clause], analyzer: Analyzer) -> tuple[FieldClause, ...]:
    """One per clause, in order."""
    return tuple(_field_clause(clause, analyzer) for clause in clauses)


def _field_clause(clause: Clause, analyzer: Analyzer) -> FieldClause:
    words = list(_words(clause, analyzer))
    left_out = [] if words else [LeftOut(clause.text, Dropped.NO_WORD)]
    prefixes: list[Unit] = []
    if clause.is_prefix and words:
        token, _ = words[-1].pop()
        start = analyzer.term(token) if analyzer.is_cut(token) else analyzer.prefix(token)
        if start and not analyzer.is_too_long(token):
            prefixes.append(Prefix(start))
        else:
            left_out.append(LeftOut(token, Dropped.TOO_LONG if start else Dropped.NO_WORD))
        left_out += [LeftOut(token, None)] if analyzer.is_cut(token) else []
    left_out += _left_out(words, analyzer)
    needs_all = clause.is_phrase or clause.is_token or clause.occur is not Occur.OPTIONAL
    if needs_all and any(each.why in _UNFINDABLE for each in left_out):
        return FieldClause(clause.occur, (), tuple(left_out), is_impossible=True)
    units = (unit for group in _asked_together(clause, words) for unit in _units(group, analyzer))
    return FieldClause(clause.occur, (*units, *prefixes), tuple(left_out))


def _words(clause: Clause, analyzer: Analyzer) -> Iterator[_Word]:
    """The words of a clause.

    The last character of a longer run is not searched for, since the pair before contains it.
    """
    if clause.is_token and not (analyzer.has_pairs and has_unspaced(spelled(clause.text))):
        yield [(clause.text, 0)]
        return
    run: _Word = []
    for place, token in enumerate(analyzer.tokens(clause.text)):
        if analyzer.has_pairs and is_pair(token):
            run.append((token, place))
        else:
            yield run or [(token, place)]
            run = []


def _left_out(words: Sequence[_Word], analyzer: Analyzer) -> Iterator[LeftOut]:
    for word in words:
        for token, _ in word:
            if analyzer.term(token) is None:
                yield LeftOut(token, analyzer.why_dropped(token))
            elif analyzer.is_cut(token):
                yield LeftOut(token, None)


def _asked_together(clause: Clause, words: Sequence[_Word]) -> Sequence[_Word]:
    """Groups of tokens that must follow each other: a whole phrase, or each run if it must match.

    Else there are none.
    """
    if clause.is_phrase or clause.is_token:
        return [[placed for word in words for placed in word]]
    if clause.occur is Occur.OPTIONAL:
        return [[placed] for word in words for placed in word]
    return words


def _units(group: _Word, analyzer: Analyzer) -> tuple[Unit, ...]:
    placed = [(term, place) for token, place in group if (term := analyzer.term(token)) is not None]
    if len(placed) < 2:
        return tuple(Term(term) for term, _ in placed)
    terms, places = zip(*placed, strict=True)
    return (Phrase(terms, tuple(place - places[0] for place in places)),)
