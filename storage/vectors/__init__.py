"""Kinds of vectors, their exact scores, the order of hits, and the stored forms that estimate scores."""

from storage.vectors.codes import CodedRows, code_rows, has_codes
from storage.vectors.distance import dissimilarity, estimate_rows, norms_of, score_rows, similarity, wide_scores
from storage.vectors.encoding import Encoding, choose_encoding, compared_by
from storage.vectors.multi import (
    MAX_MULTI_ROWS,
    MAX_MULTI_VALUES,
    MultiVector,
    bounds_of_max_similarities,
    check_multi_query,
    checked_multi,
    decode_tokens,
    encode_tokens,
    max_similarities,
)
from storage.vectors.order import IdKeys, Position, best, comes_after, rank
from storage.vectors.sparse import (
    SparseCounts,
    SparseMetric,
    SparseScores,
    SparseVector,
    check_sparse_query,
    checked_sparse,
    decode_all,
    positions_in,
    score_vectors,
    sparse_norms,
)
from storage.vectors.stored_form import decoded, encode_queries, encode_rows, is_coarse, rescored

__all__ = [
    "MAX_MULTI_ROWS",
    "MAX_MULTI_VALUES",
    "CodedRows",
    "Encoding",
    "IdKeys",
    "MultiVector",
    "Position",
    "SparseCounts",
    "SparseMetric",
    "SparseScores",
    "SparseVector",
    "best",
    "bounds_of_max_similarities",
    "check_multi_query",
    "check_sparse_query",
    "checked_multi",
    "checked_sparse",
    "choose_encoding",
    "code_rows",
    "comes_after",
    "compared_by",
    "decode_all",
    "decode_tokens",
    "decoded",
    "dissimilarity",
    "encode_queries",
    "encode_rows",
    "encode_tokens",
    "estimate_rows",
    "has_codes",
    "is_coarse",
    "max_similarities",
    "norms_of",
    "positions_in",
    "rank",
    "rescored",
    "score_rows",
    "score_vectors",
    "similarity",
    "sparse_norms",
    "wide_scores",
]
