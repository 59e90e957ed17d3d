"""What a query by BM25 asks, as frozen data. Its syntax is in text/syntax.py, what it scores in text/scoring.py."""

from dataclasses import dataclass
from enum import Enum


class Combine(Enum):
    """How weighted scores of several fields become one."""

    SUM = "sum"
    MAX = "max"


@dataclass(frozen=True, slots=True)
class Highlighting:
    """Most fragments per field, and their length in characters, about; 0 is the whole text."""

    fragments: int = 3
    length: int = 150


@dataclass(frozen=True, slots=True, kw_only=True)
class Bm25:
    """Rank by how well texts match. `text` is a tuple when it is given as tokens.

    `fields`: paths and weights; none means every text index, with weight 1. `all_terms`: every term is required.
    `last_as_prefix`: the last token is a prefix. `plain`: the text has no syntax.
    """

    text: str | tuple[str, ...]
    fields: tuple[tuple[str, float], ...] = ()
    combine: Combine = Combine.SUM
    all_terms: bool = False
    last_as_prefix: bool = False
    plain: bool = False
    highlight: Highlighting | None = None
