"""Rankings: ordered lists of points, fusions of lists, and one file per way to rank (plan/ranker.py names the ways)."""

from planner.rank.by_text import TextRanker, describe_text
from planner.rank.diversity import pick_diverse
from planner.rank.operators import (
    NOTHING,
    Ranking,
    apply_after,
    apply_limit,
    apply_threshold,
    candidates,
    convert_scores,
    fuse_ranks,
    fuse_scores,
)
from planner.rank.ranking import rank_slots
from planner.rank.run_context import RunContext

__all__ = [
    "NOTHING",
    "Ranking",
    "RunContext",
    "TextRanker",
    "apply_after",
    "apply_limit",
    "apply_threshold",
    "candidates",
    "convert_scores",
    "describe_text",
    "fuse_ranks",
    "fuse_scores",
    "pick_diverse",
    "rank_slots",
]
