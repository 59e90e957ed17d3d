"""The syntax of a query by BM25: terms, "phrases", +required and -excluded ones. It knows neither tokens nor indexes.

    query = clause (white space clause)*     clause = ("+" | "-")? (word | quote any but quote * quote)

A sign counts only at the start of a clause, and only if something follows it. A word with a sign that is cut into
several tokens becomes a phrase. A quote that is never closed is white space. Curly quotes are quotes. Invisible
characters are ignored. So every text is a query.
"""

import re
from dataclasses import dataclass, replace
from enum import Enum

from planner.predicate import without_invisible
from planner.query import Bm25

_CLAUSE = re.compile(r'([+-]?)(?:["“”]([^"“”]*)["“”]|([^\s"“”]+))')


class Occur(Enum):
    """Whether a clause must match, must not match, or only adds to the score."""

    OPTIONAL = ""
    REQUIRED = "+"
    EXCLUDED = "-"


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause of a query. `is_phrase`: its tokens must follow each other. `is_token`: its text is one token already.

    `is_prefix`: its last token is the beginning of a term.
    """

    text: str
    occur: Occur = Occur.OPTIONAL
    is_phrase: bool = False
    is_token: bool = False
    is_prefix: bool = False


def clauses_of(query: Bm25) -> tuple[Clause, ...]:
    """The clauses in order. A text of white space and quotes has none."""
    clauses, ends_quoted = _parsed(query)
    if query.last_as_prefix and clauses and not ends_quoted:
        clauses[-1] = replace(clauses[-1], is_prefix=True)
    if query.all_terms:
        clauses = [_required(clause) for clause in clauses]
    return tuple(clauses)


def _parsed(query: Bm25) -> tuple[list[Clause], bool]:
    """The clauses, and whether the last one is in quotes."""
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
