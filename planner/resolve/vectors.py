"""Binds vectors. Those of a request are checked at once, those of stored points when they are read."""

from collections.abc import Callable

from planner.errors import InvalidQuery
from planner.query import NumberedVector, QueryVector, StoredVector, VectorInput
from planner.resolve.stored_vectors import Bound, GivenVector, Unread
from storage.schema import CollectionSchema, DenseSpace, kind_of_space
from storage.vectors import MultiVector, SparseVector
from storage.write import check_point_id, check_query_vector


def bind_vector(
    vector: VectorInput, space: str, check: Callable[[GivenVector, str], Bound], field: str
) -> Unread[Bound]:
    """The result of `check` for a vector that is meant for `space`. `check` gets the vector and its field.

    Raises what `check` raises, and InvalidPointId. A vector of a shape is checked when it is read.
    """
    if isinstance(vector, NumberedVector):
        return lambda reading: bind_vector(reading.vectors[vector.number], space, check, field)(reading)
    if isinstance(vector, StoredVector):
        check_point_id(vector.id, f"{field}.id")
        return lambda reading: reading.read(vector, space, lambda found: check(found, field))
    checked = check(vector, field)
    return lambda _: checked


def check_dense(space: DenseSpace, vector: GivenVector, field: str) -> QueryVector:
    """Checks a vector for a dense space. Raises InvalidQuery, DimensionMismatch, NotFinite, ZeroVector."""
    if not isinstance(vector, QueryVector):
        raise InvalidQuery(field, f"the space is dense, and the vector is {kind_of_vector(vector)}")
    check_query_vector(space, vector.values, field)
    return vector


def kind_of_vector(vector: GivenVector) -> str:
    """The name of the kind in errors, such as in "the vector is sparse"."""
    match vector:
        case QueryVector():
            return "dense"
        case SparseVector():
            return "sparse"
        case MultiVector():
            return "a matrix"


def wrong_kind(schema: CollectionSchema, space: str, vector: GivenVector, field: str) -> InvalidQuery:
    """What to raise for a vector that the space, which is not dense, does not take."""
    kind = kind_of_space(schema.spaces[space])
    return InvalidQuery(field, f"the space {space!r} is {kind}, and the vector is {kind_of_vector(vector)}")
