"""The syntax of a query by BM25: terms, "phrases", +required and -excluded ones. It knows neither tokens nor indexes.

    query = clause (white space clause)*     clause = ("+" | "-")? (word | quote any but quote * quote)

A sign counts only where a clause begins and something follows it, and makes a word that is several tokens a phrase. A
quote that is never closed is white space; curly quotes are quotes; invisible characters are not there. So every text
is a query.
"""

import re
from dataclasses import dataclass, replace
from enum import Enum

from planner.predicate import without_invisible
from planner.query import Bm25

_CLAUSE = re.compile(r'([+-]?)(?:["“”]([^"“”]*)["“”]|([^\s"“”]+))')


class Occur(Enum):
    """Whether a clause must match, must not, or adds to the score if it does."""

    OPTIONAL = ""
    REQUIRED = "+"
    EXCLUDED = "-"


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of a query. `is_phrase`: its tokens must follow each other. `is_token`: it is one token already.

    `is_prefix`: its last token is the beginning of a term.
    """

    text: str
    occur: Occur = Occur.OPTIONAL
    is_phrase: bool = False
    is_token: bool = False
    is_prefix: bool = False


def clauses_of(query: Bm25) -> tuple[Clause, ...]:
    """The clauses in order; none for a text of white space and quotes."""
    clauses, ends_quoted = _parsed(query)
    if query.last_as_prefix and clauses and not ends_quoted:
        clauses[-1] = replace(clauses[-1], is_prefix=True)
    if query.all_terms:
        clauses = [_required(clause) for clause in clauses]
    return tuple(clauses)


def _parsed(query: Bm25) -> tuple[list[Clause], bool]:
    """Clauses, and whether the last one is in quotes."""
    if isinstance(query.text, tuple):
        return [Clause(token, is_token=True) for token in query.text], False
    if query.plain:
        return [Clause(word) for word in without_invisible(query.text).split()], False
    clauses: list[Clause] = []
    quoted: str | None = None
    for sign, quoted, word in _CLAUSE.findall(without_invisible(query.text)):
        text = word or quoted
        clauses.append(Clause(text, Occur(sign), is_phrase=bool(sign or quoted)))
    return clauses, bool(quoted)


def _required(clause: Clause) -> Clause:
    return replace(clause, occur=Occur.REQUIRED) if clause.occur is Occur.OPTIONAL else clause
