"""The ways to rank points: each is one file that binds it, ranks by it and describes it. ways.py lists them."""

from planner.rank.at_random import AtRandom
from planner.rank.by_dense_vector import InDense
from planner.rank.ranker import Found, Ranker, Statistics
from planner.rank.ranking import NOTHING, Ids, Place, Ranking, SortKey, ranked
from planner.rank.run_context import RunContext
from planner.rank.searcher import Searcher, SearchRequest
from planner.rank.ways import WAYS

__all__ = [
    "NOTHING",
    "WAYS",
    "AtRandom",
    "Found",
    "Ids",
    "InDense",
    "Place",
    "Ranker",
    "Ranking",
    "RunContext",
    "SearchRequest",
    "Searcher",
    "SortKey",
    "Statistics",
    "ranked",
]
