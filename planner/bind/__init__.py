"""The binder: a query and a schema become a bound query, or an error that names the field. Nothing is bound twice."""

from planner.bind.bound import (
    BoundDbsf,
    BoundLeaf,
    BoundMerge,
    BoundQuery,
    BoundRrf,
    BoundStage,
)
from planner.bind.stages import DEFAULT_LIMIT, CheckedQuery, bind, check_query

__all__ = [
    "DEFAULT_LIMIT",
    "BoundDbsf",
    "BoundLeaf",
    "BoundMerge",
    "BoundQuery",
    "BoundRrf",
    "BoundStage",
    "CheckedQuery",
    "bind",
    "check_query",
]
