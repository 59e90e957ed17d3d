"""The binder: a query and a schema become a bound query, or an error that names the field. Nothing is bound twice."""

from planner.bind.bound import (
    BoundDbsf,
    BoundLeaf,
    BoundMerge,
    BoundQuery,
    BoundRrf,
    BoundStage,
    Highlighted,
)
from planner.bind.filters import check_filter
from planner.bind.selectors import check_selectors
from planner.bind.spaces import dense_space, space_of
from planner.bind.stages import DEFAULT_LIMIT, bind
from planner.bind.stored_vectors import VectorSource

__all__ = [
    "DEFAULT_LIMIT",
    "BoundDbsf",
    "BoundLeaf",
    "BoundMerge",
    "BoundQuery",
    "BoundRrf",
    "BoundStage",
    "Highlighted",
    "VectorSource",
    "bind",
    "check_filter",
    "check_selectors",
    "dense_space",
    "space_of",
]
