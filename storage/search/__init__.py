"""Searches of a snapshot: dense, sparse and multi-vectors, by scan or by index. All returned scores are exact."""

from storage.search.dense import SpaceHits, SpaceSearch
from storage.search.multi import MultiQuery, score_multi, search_multi
from storage.search.plain import PlainHits, finite_and_not_zero, search_plainly
from storage.search.prewarming import prewarm
from storage.search.random_order import seeded_hashes, seeded_order
from storage.search.sampling import sample_vectors
from storage.search.snapshot_search import score_vectors, search_vectors
from storage.search.sparse import (
    SparseQuery,
    count_sparse,
    keep_sparse,
    score_sparse,
    search_sparse,
    sparse_or_multi_vectors,
    try_sparse,
)

__all__ = [
    "MultiQuery",
    "PlainHits",
    "SpaceHits",
    "SpaceSearch",
    "SparseQuery",
    "count_sparse",
    "finite_and_not_zero",
    "keep_sparse",
    "prewarm",
    "sample_vectors",
    "score_multi",
    "score_sparse",
    "score_vectors",
    "search_multi",
    "search_plainly",
    "search_sparse",
    "search_vectors",
    "seeded_hashes",
    "seeded_order",
    "sparse_or_multi_vectors",
    "try_sparse",
]
