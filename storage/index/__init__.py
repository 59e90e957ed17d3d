"""Indexes that find rows: graphs (only here is usearch known), inverted lists, and the rows that belong to a commit."""

from storage.index.graph_codes import codes_file
from storage.index.graph_file import remove_unsound_graphs
from storage.index.hnsw import Graph, GraphSearch, build, has_kernel
from storage.index.inverted import Compact, SparseIndex, SparseView
from storage.index.row_versions import Growing
from storage.index.sparse_indexes import SparseIndexes
from storage.index.sparse_log import SparseChange, SparseLog

__all__ = [
    "Compact",
    "Graph",
    "GraphSearch",
    "Growing",
    "SparseChange",
    "SparseIndex",
    "SparseIndexes",
    "SparseLog",
    "SparseView",
    "build",
    "codes_file",
    "has_kernel",
    "remove_unsound_graphs",
]
