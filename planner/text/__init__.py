"""Full text: how texts become terms, the index of a field, scores by BM25, highlights. docs/text_search.md."""

from planner.text.analysis import Analyzer, Dropped
from planner.text.highlights import Highlight, Highlighted, highlights_of
from planner.text.index import TextIndex, texts_at
from planner.text.indexes import TextIndexes
from planner.text.matching import FieldSearch, best_matches
from planner.text.scoring import SearchedField
from planner.text.segment import Slots
from planner.text.syntax import Occur, clauses_of
from planner.text.term_counts import TermCounts, count_terms, count_units
from planner.text.units import FieldClause, LeftOut, Phrase, Term, Unit, field_clauses

__all__ = [
    "Analyzer",
    "Dropped",
    "FieldClause",
    "FieldSearch",
    "Highlight",
    "Highlighted",
    "LeftOut",
    "Occur",
    "Phrase",
    "SearchedField",
    "Slots",
    "Term",
    "TermCounts",
    "TextIndex",
    "TextIndexes",
    "Unit",
    "best_matches",
    "clauses_of",
    "count_terms",
    "count_units",
    "field_clauses",
    "highlights_of",
    "texts_at",
]
