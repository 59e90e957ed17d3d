"""Checks ids and vectors before anything is written or searched. Errors name the field."""

from collections.abc import Callable, Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from storage.errors import (
    DimensionMismatch,
    EmptyVector,
    InvalidPointId,
    InvalidRequest,
    NotFinite,
    SpaceNotFound,
    ZeroVector,
)
from storage.schema import CollectionSchema, DenseSpace, Distance, PointId
from storage.tables import MAX_ID_BYTES, MAX_ID_NUMBER
from storage.write.operations import SpaceVectors


def check_point_id(point_id: PointId, field: str) -> None:
    """Raises InvalidPointId unless the id is an unsigned 64-bit number or a string of 1 to 512 UTF-8 bytes."""
    if isinstance(point_id, int):
        if not 0 <= point_id <= MAX_ID_NUMBER:
            raise InvalidPointId(field, f"{point_id} is not an unsigned 64-bit number")
        return
    try:
        length = len(point_id.encode())
    except UnicodeEncodeError:
        raise InvalidPointId(field, "the id is not valid Unicode") from None
    if length == 0:
        raise InvalidPointId(field, "the id is empty")
    if length > MAX_ID_BYTES:
        raise InvalidPointId(field, f"the id has {length:,} bytes, more than MAX_ID_BYTES allows ({MAX_ID_BYTES})")


def check_point_ids(ids: Sequence[PointId], field: str) -> None:
    """Raises InvalidPointId, which names the place in the list `field`, unless all are sound."""
    if set(map(type, ids)) == {int}:
        numbers = cast("Sequence[int]", ids)
        if min(numbers) >= 0 and max(numbers) <= MAX_ID_NUMBER:
            return
    for index, point_id in enumerate(ids):
        check_point_id(point_id, f"{field}[{index}]")


def space_of(schema: CollectionSchema, name: str, field: str) -> DenseSpace:
    """The dense space with this name. Raises SpaceNotFound."""
    space = schema.dense.get(name)
    if space is None:
        raise SpaceNotFound(name, schema.dense, field)
    return space


def check_vector(space: DenseSpace, vector: NDArray[np.float32], field: str) -> None:
    """Raises EmptyVector, DimensionMismatch or NotFinite unless `vector` may be stored in `space`.

    Raises InvalidRequest for a component other than 0 or 1 in a binary space.
    """
    if vector.size == 0:
        raise EmptyVector(field)
    if vector.size != space.size:
        raise DimensionMismatch(field, expected=space.size, actual=vector.size)
    if not np.isfinite(vector).all():
        raise _not_finite(vector, field)
    if space.distance.is_binary and not _is_binary(vector):
        raise _not_binary(vector, field)


def fits(space: DenseSpace, matrix: NDArray[np.float32]) -> bool:
    """Whether vectors with finite components, (n, d), may be stored in `space`: whether check_vector takes each."""
    return matrix.shape[1] == space.size and (not space.distance.is_binary or _is_binary(matrix))


def check_query_vector(space: DenseSpace, vector: NDArray[np.float32], field: str) -> None:
    """Like check_vector; also raises ZeroVector for a zero vector under Cosine."""
    check_vector(space, vector, field)
    if space.distance is Distance.COSINE and not vector.any():
        raise ZeroVector(field)


def check_vectors(
    schema: CollectionSchema,
    space_name: str,
    vectors: list[NDArray[np.float32]],
    positions: list[int],
    path_of: Callable[[int], str],
) -> SpaceVectors:
    """The vectors of one space of a write: `vectors[i]` belongs to point `positions[i]`, whose field is `path_of(i)`.

    Raises SpaceNotFound, or what check_vector raises for the first bad vector.
    """
    space = space_of(schema, space_name, path_of(0))
    for i, vector in enumerate(vectors):
        if vector.size != space.size:
            check_vector(space, vector, path_of(i))
    matrix = np.concatenate(vectors, dtype=np.float32).reshape(len(vectors), space.size)  # np.stack is far slower
    finite = np.isfinite(matrix).all(axis=1)
    if not finite.all():
        bad = int(np.argmin(finite))
        raise _not_finite(matrix[bad], path_of(bad))
    if space.distance.is_binary and not _is_binary(matrix):
        bad = int(np.argmin(((matrix == 0) | (matrix == 1)).all(axis=1)))
        raise _not_binary(matrix[bad], path_of(bad))
    return SpaceVectors(np.asarray(positions, np.int64), matrix)


def _not_finite(vector: NDArray[np.float32], field: str) -> NotFinite:
    position = int(np.argmin(np.isfinite(vector)))
    return NotFinite(field, f"component {position} is {vector[position]}, but every component must be finite")


def _is_binary(values: NDArray[np.float32]) -> bool:
    return bool(((values == 0) | (values == 1)).all())


def _not_binary(vector: NDArray[np.float32], field: str) -> InvalidRequest:
    position = int(np.argmin((vector == 0) | (vector == 1)))
    what = f"component {position} is {vector[position]}, but every component of a binary vector must be 0 or 1"
    return InvalidRequest(field, what)
