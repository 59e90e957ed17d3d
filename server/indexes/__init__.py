"""Indexes of payload properties: which one a request means, what it covers, and how the server keeps it up to date."""

from server.indexes.counts import IndexCounts
from server.indexes.resolve import Index, Wanted, check_property, index_id, index_of, indexes_of, size_of, space_meant
from server.indexes.workers import IndexWorkers

__all__ = [
    "Index",
    "IndexCounts",
    "IndexWorkers",
    "Wanted",
    "check_property",
    "index_id",
    "index_of",
    "indexes_of",
    "size_of",
    "space_meant",
]
