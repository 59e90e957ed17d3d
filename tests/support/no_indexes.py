"""Indexes that keep nothing, for runs that are told where to read."""

from planner.execute.local_source import Indexes
from planner.filtering.cache import FilterCache
from planner.payload_index.indexes import FieldIndexes
from planner.text.indexes import TextIndexes


def no_indexes() -> Indexes:
    return Indexes(FilterCache(0), FieldIndexes(0), TextIndexes(0))
