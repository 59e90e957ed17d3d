"""The ways to rank: for each class of a query's rank, the function that binds it.

A new way is a file and a line here.
"""

from collections.abc import Callable, Mapping
from typing import Any

from planner.query import Bm25, ByMetrics, Context, Discover, Formula, Nearest, OrderBy, Recommend, Sample
from planner.rank.at_random import bind_sample
from planner.rank.by_examples import bind_context, bind_discover, bind_recommend
from planner.rank.by_field import bind_order
from planner.rank.by_formula import bind_formula
from planner.rank.by_metrics import bind_metrics
from planner.rank.by_text import bind_text
from planner.rank.nearest import bind_nearest
from planner.rank.ranker import Ranker
from planner.resolve import Asked, Unread

WAYS: Mapping[type, Callable[[Any, Asked], Unread[Ranker]]] = {
    Nearest: bind_nearest,
    Recommend: bind_recommend,
    Discover: bind_discover,
    Context: bind_context,
    ByMetrics: bind_metrics,
    OrderBy: bind_order,
    Sample: bind_sample,
    Formula: bind_formula,
    Bm25: bind_text,
}
"""Fusions are not listed, since they rank lists, not points."""
