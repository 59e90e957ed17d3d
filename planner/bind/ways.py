"""The ways to rank, by the word of a query for each: how it is bound. A new way is one file, and one line here."""

from collections.abc import Callable, Mapping
from typing import Any

from planner.bind.asked import Asked
from planner.bind.examples import bind_context, bind_discover, bind_recommend
from planner.bind.formulas import bind_formula
from planner.bind.metrics import bind_metrics
from planner.bind.nearest import bind_nearest
from planner.bind.order import bind_order, bind_sample
from planner.bind.stored_vectors import Unread
from planner.bind.texts import bind_text
from planner.query import Bm25, ByMetrics, Context, Discover, Formula, Nearest, OrderBy, Recommend, Sample
from planner.rank import Ranker

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
"""Fusions are none: they rank lists, not points."""
