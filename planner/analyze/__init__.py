"""Other questions about the same snapshot: groups, facets, aggregations, matrices, recall, coverage."""

from planner.analyze.aggregation import AggregateKind, AggregateQuery, Aggregates, Aggregation
from planner.analyze.analyses import Analyses, Groups
from planner.analyze.facets import FacetQuery, Facets
from planner.analyze.group_query import DEFAULT_GROUP_SIZE, GroupLookup, GroupQuery
from planner.analyze.matrix import DEFAULT_NEIGHBOURS, DEFAULT_SAMPLE, Matrix, MatrixQuery
from planner.analyze.recall import (
    RecallTest,
    Sample,
)
from planner.analyze.vector_coverage import Coverage, Matching, coverage, has_property, has_text, matching_at

__all__ = [
    "DEFAULT_GROUP_SIZE",
    "DEFAULT_NEIGHBOURS",
    "DEFAULT_SAMPLE",
    "AggregateKind",
    "AggregateQuery",
    "Aggregates",
    "Aggregation",
    "Analyses",
    "Coverage",
    "FacetQuery",
    "Facets",
    "GroupLookup",
    "GroupQuery",
    "Groups",
    "Matching",
    "Matrix",
    "MatrixQuery",
    "RecallTest",
    "Sample",
    "coverage",
    "has_property",
    "has_text",
    "matching_at",
]
