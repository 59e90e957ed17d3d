"""The RPCs, one file per group: convert, call the engine or the database, convert back."""

from server.services.analyses import PointAnalyses
from server.services.collections import Collections
from server.services.field_indexes import PointFieldIndexes
from server.services.index_policies import IndexPolicies
from server.services.index_search import IndexSearches
from server.services.index_writes import IndexWrites
from server.services.keys import Keys
from server.services.maintenance import VectorDataMaintenance
from server.services.partitions import Partitions
from server.services.points import PointReads, PointWrites
from server.services.scrolling import PointScrolls
from server.services.search import PointQueries
from server.services.snapshots import SnapshotTransfers
from server.services.text_indexes import PointTextIndexes
from server.services.vde import VectorDataEngine

__all__ = [
    "Collections",
    "IndexPolicies",
    "IndexSearches",
    "IndexWrites",
    "Keys",
    "Partitions",
    "PointAnalyses",
    "PointFieldIndexes",
    "PointQueries",
    "PointReads",
    "PointScrolls",
    "PointTextIndexes",
    "PointWrites",
    "SnapshotTransfers",
    "VectorDataEngine",
    "VectorDataMaintenance",
]
