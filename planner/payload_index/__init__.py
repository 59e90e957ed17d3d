"""Indexes of values at payload paths, declared or made on demand, brought up to date from commit to commit."""

from planner.payload_index.answers import cover, foresee, serve
from planner.payload_index.builds import FieldBuilds, FieldIndexStatus
from planner.payload_index.columns import Column, column_of
from planner.payload_index.distinct_values import DistinctValues, Kind, Numbers
from planner.payload_index.field_types import check_index_path, compares_instants
from planner.payload_index.index import FieldIndex, Slots
from planner.payload_index.indexes import FieldIndexes, IndexState

__all__ = [
    "Column",
    "DistinctValues",
    "FieldBuilds",
    "FieldIndex",
    "FieldIndexStatus",
    "FieldIndexes",
    "IndexState",
    "Kind",
    "Numbers",
    "Slots",
    "check_index_path",
    "column_of",
    "compares_instants",
    "cover",
    "foresee",
    "serve",
]
