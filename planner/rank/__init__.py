"""Rankings, fusions of lists, and the ways to rank, each in a file of its own. bind/ways.py lists them."""

from planner.rank.at_random import AtRandom
from planner.rank.by_dense_vector import InDense
from planner.rank.by_examples import BoundContext, BoundDiscover, BoundPair, BoundRecommend, InSpace
from planner.rank.by_field import ByField
from planner.rank.by_formula import ByFormula
from planner.rank.by_metrics import InMetrics, MetricScore
from planner.rank.by_multi_vector import InMulti
from planner.rank.by_sparse_vector import InSparse
from planner.rank.by_text import ByText
from planner.rank.diversity import pick_diverse
from planner.rank.fusion import distribution_based_score_fusion, reciprocal_rank_fusion, union
from planner.rank.ranker import Found, Ranker, Statistics
from planner.rank.ranking import NOTHING, Ids, Place, Ranking, ranked
from planner.rank.run_context import RunContext
from planner.rank.searcher import Searcher, SearchRequest
from planner.rank.starts import InstantStart, ValueStart

__all__ = [
    "NOTHING",
    "AtRandom",
    "BoundContext",
    "BoundDiscover",
    "BoundPair",
    "BoundRecommend",
    "ByField",
    "ByFormula",
    "ByText",
    "Found",
    "Ids",
    "InDense",
    "InMetrics",
    "InMulti",
    "InSpace",
    "InSparse",
    "InstantStart",
    "MetricScore",
    "Place",
    "Ranker",
    "Ranking",
    "RunContext",
    "SearchRequest",
    "Searcher",
    "Statistics",
    "ValueStart",
    "distribution_based_score_fusion",
    "pick_diverse",
    "ranked",
    "reciprocal_rank_fusion",
    "union",
]
