"""Queries against a schema: every rule that a query must keep, and the vectors that ids stand for."""

from planner.bind.filters import check_filter
from planner.bind.stages import DEFAULT_LIMIT, candidates_of, check_query, limit_of, space_of
from planner.bind.stored_vectors import VectorSource, resolve
from planner.bind.texts import searched_fields
from planner.bind.vectors import dense_space

__all__ = [
    "DEFAULT_LIMIT",
    "VectorSource",
    "candidates_of",
    "check_filter",
    "check_query",
    "dense_space",
    "limit_of",
    "resolve",
    "searched_fields",
    "space_of",
]
