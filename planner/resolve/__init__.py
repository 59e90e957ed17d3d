"""What parts of a request mean in a schema: which space, which vector, and whether a filter or a selector can be."""

from planner.resolve.asked import Asked
from planner.resolve.filters import CheckedFilter, check_filter, derived_filter
from planner.resolve.selectors import check_selectors
from planner.resolve.spaces import dense_space, space_of
from planner.resolve.stored_vectors import GivenVector, Reading, Unread, VectorSource
from planner.resolve.vectors import bind_vector, check_dense, kind_of_vector, wrong_kind

__all__ = [
    "Asked",
    "CheckedFilter",
    "GivenVector",
    "Reading",
    "Unread",
    "VectorSource",
    "bind_vector",
    "check_dense",
    "check_filter",
    "check_selectors",
    "dense_space",
    "derived_filter",
    "kind_of_vector",
    "space_of",
    "wrong_kind",
]
