"""Searches of a snapshot: dense, sparse and multi-vectors, by scan or by index. Every score that leaves is exact."""

from storage.search.dense import SpaceHits, SpaceSearch
from storage.search.multi import MultiQuery
from storage.search.prewarming import prewarm
from storage.search.random_order import seeded_order
from storage.search.sampling import sample_vectors
from storage.search.snapshot_search import score_vectors, search_vectors
from storage.search.sparse import (
    RecordQuery,
    SparseQuery,
    keep_sparse,
    score_records,
    search_records,
    sparse_or_multi_vectors,
    try_sparse,
)

__all__ = [
    "MultiQuery",
    "RecordQuery",
    "SpaceHits",
    "SpaceSearch",
    "SparseQuery",
    "keep_sparse",
    "prewarm",
    "sample_vectors",
    "score_records",
    "score_vectors",
    "search_records",
    "search_vectors",
    "seeded_order",
    "sparse_or_multi_vectors",
    "try_sparse",
]
