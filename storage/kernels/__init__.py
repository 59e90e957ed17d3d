"""Kernels: what is computed most often, in C++ behind a plain C interface, with a twin in numpy for each.

Everything that leaves storage as a score has the same bytes from both. What only nominates candidates may differ.
"""

from storage.kernels.build import build_in_place
from storage.kernels.graph import Asking, GraphCodes, NativeGraph, Scoring, WalkFound
from storage.kernels.library import (
    CHOICES,
    VARIABLE,
    KernelFailed,
    Signatures,
    address,
    describe_kernels,
    has_kernels,
    load,
    threads_for,
)
from storage.kernels.lists import code_products, unequal_bits
from storage.kernels.metric import Form, Metric
from storage.kernels.multi import native_bounds_of_max_similarities, native_max_similarities
from storage.kernels.postings import (
    ABSENT,
    NativePostings,
    PostingsClause,
    PostingsField,
    PostingsFound,
    PostingsParts,
    PostingsUnit,
    UnitScoring,
    search_postings,
)
from storage.kernels.records import Pieces, native_checksums, native_record_places, native_records
from storage.kernels.scan import Codes, Scan, Scanned, native_codes, native_scan
from storage.kernels.scores import native_scores
from storage.kernels.sparse import SparseRows, SparseTerms, add_sparse, best_sparse
from storage.kernels.sums import fixed_dots, fixed_sums

__all__ = [
    "ABSENT",
    "CHOICES",
    "VARIABLE",
    "Asking",
    "Codes",
    "Form",
    "GraphCodes",
    "KernelFailed",
    "Metric",
    "NativeGraph",
    "NativePostings",
    "Pieces",
    "PostingsClause",
    "PostingsField",
    "PostingsFound",
    "PostingsParts",
    "PostingsUnit",
    "Scan",
    "Scanned",
    "Scoring",
    "Signatures",
    "SparseRows",
    "SparseTerms",
    "UnitScoring",
    "WalkFound",
    "add_sparse",
    "address",
    "best_sparse",
    "build_in_place",
    "code_products",
    "describe_kernels",
    "fixed_dots",
    "fixed_sums",
    "has_kernels",
    "load",
    "native_bounds_of_max_similarities",
    "native_checksums",
    "native_codes",
    "native_max_similarities",
    "native_record_places",
    "native_records",
    "native_scan",
    "native_scores",
    "search_postings",
    "threads_for",
    "unequal_bits",
]
