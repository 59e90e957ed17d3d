"""The ways to rank points: each is one file that binds it, ranks by it and describes it. ways.py lists them."""

from planner.rank.ranker import Found, Ranker, Statistics
from planner.rank.ranking import NOTHING, Ids, Place, Ranking, ranked
from planner.rank.run_context import RunContext
from planner.rank.searcher import Searcher, SearchRequest
from planner.rank.ways import WAYS

__all__ = [
    "NOTHING",
    "WAYS",
    "Found",
    "Ids",
    "Place",
    "Ranker",
    "Ranking",
    "RunContext",
    "SearchRequest",
    "Searcher",
    "Statistics",
    "ranked",
]
