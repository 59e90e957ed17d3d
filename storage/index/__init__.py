"""What finds rows: graphs (only here is usearch known) and inverted lists, and which rows a commit has."""

from storage.index.graph_file import remove_unsound_graphs
from storage.index.hnsw import Graph, build, has_kernel
from storage.index.inverted import Compact, SparseIndex, SparseView
from storage.index.record_indexes import Copy, RecordIndex, RecordIndexes
from storage.index.record_log import RecordChange, RecordLog
from storage.index.row_versions import Growing

__all__ = [
    "Compact",
    "Copy",
    "Graph",
    "Growing",
    "RecordChange",
    "RecordIndex",
    "RecordIndexes",
    "RecordLog",
    "SparseIndex",
    "SparseView",
    "build",
    "has_kernel",
    "remove_unsound_graphs",
]
