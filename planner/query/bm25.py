"""What a query by BM25 asks, as frozen data. Its syntax is in text/syntax.py, its scores are in text/scoring.py."""

from dataclasses import dataclass
from enum import Enum


class Combine(Enum):
    """How the weighted scores of several fields become one score."""

    SUM = "sum"
    MAX = "max"


@dataclass(frozen=True, slots=True)
class Highlighting:
    """How texts are highlighted.

    `fragments` is the largest number of fragments per field; 0 means the whole text. `length` is about how many
    characters a fragment has.
    """

    fragments: int = 3
    length: int = 150


@dataclass(frozen=True, slots=True, kw_only=True)
class Bm25:
    """Ranks by how well texts match. `text` is a tuple when it is given as tokens.

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
