"""Index policies at work: spaces that hold vectors of a payload property, brought from outside or made here."""

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
