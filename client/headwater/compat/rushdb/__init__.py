"""RushDB's interface to records and their vectors, over a Headwater client: labels are collections, records points.

    from headwater.compat.rushdb import RushDB

    db = RushDB("localhost:50051")

It has records, indexes of properties and vector searches. It has no relations, transactions and ontologies: their names
raise AttributeError. docs/coming-from.md tells what differs.
"""

from headwater.compat.rushdb.database import RushDB
from headwater.compat.rushdb.indexes import AI, Indexes
from headwater.compat.rushdb.records import NestedDataWarning, Records
from headwater.compat.rushdb.results import ApiResponse, Record, SearchResult
from headwater.errors import HeadwaterError

RushDBError = HeadwaterError
"""The root of all errors, under RushDB's name. The classes below it are those of headwater.errors."""

__all__ = [
    "AI",
    "ApiResponse",
    "Indexes",
    "NestedDataWarning",
    "Record",
    "Records",
    "RushDB",
    "RushDBError",
    "SearchResult",
]
