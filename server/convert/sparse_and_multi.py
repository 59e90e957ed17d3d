"""Sparse and multi-vectors: messages <-> storage types."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from headwater.v1.common_pb2 import Vector
from server.convert.vector_kinds import vector_kind, vector_of
from server.errors import no_embedder
from storage.errors import DimensionMismatch, EmptyVector, InvalidRequest, LimitExceeded
from storage.schema import BodySpace, CollectionSchema, MultiSpace, SparseSpace, kind_of_space
from storage.vectors import MAX_MULTI_ROWS, MultiVector, SparseVector, checked_multi, checked_sparse
from storage.write import SpaceBodies, check_vector


def sparse_of(message: Vector, path: str) -> SparseVector:
    """The sparse vector at `path`, with its indices in order. Raises InvalidRequest and its subclasses."""
    indices = np.asarray(message.sparse.indices, dtype=np.uint32)
    values = np.asarray(message.sparse.values, dtype=np.float32)
    return checked_sparse(indices, values, path)


def multi_of(message: Vector, path: str) -> MultiVector:
    """The multi-vector at `path`. Raises EmptyVector, LimitExceeded, or DimensionMismatch if rows differ in length."""
    if len(message.multi.vectors) > MAX_MULTI_ROWS:
        actual = len(message.multi.vectors)
        raise LimitExceeded(path, limit="MAX_MULTI_ROWS", maximum=MAX_MULTI_ROWS, actual=actual)
    rows = _rows_of(message)
    if not rows or not rows[0].size:
        raise EmptyVector(path)
    for number, row in enumerate(rows):
        if row.size != rows[0].size:
            raise DimensionMismatch(f"{path}.vectors[{number}]", expected=rows[0].size, actual=row.size)
    return MultiVector(np.stack(rows))


def _rows_of(message: Vector) -> list[NDArray[np.float32]]:
    return [np.asarray(row.values, dtype=np.float32) for row in message.multi.vectors]


def space_bodies_of(
    schema: CollectionSchema, points: Iterable[Mapping[str, Vector]], path: str
) -> dict[str, SpaceBodies]:
    """The sparse vectors and multi-vectors of the points at `path`, by space.

    Raises InvalidRequest and its subclasses, which name the vector, and EmbedderNotConfigured for a text.
    """
    if not schema.body_spaces:
        return {}
    positions: defaultdict[str, list[int]] = defaultdict(list)
    bodies: defaultdict[str, list[bytes]] = defaultdict(list)
    for position, vectors in enumerate(points):
        for space in vectors:
            if space in schema.body_spaces:
                positions[space].append(position)
                field = f'{path}[{position}].vectors["{space}"]'
                bodies[space].append(_body_of(vectors[space], schema.body_spaces[space], space, field))
    return {space: SpaceBodies(np.array(positions[space], np.int64), tuple(bodies[space])) for space in positions}


def _body_of(message: Vector, schema: BodySpace, space: str, path: str) -> bytes:
    match schema, vector_kind(message, path):
        case SparseSpace(), "sparse":
            return sparse_of(message, path).to_bytes()
        case MultiSpace(tokens=tokens), "multi":
            return checked_multi(tokens, _rows_of(message), path).to_bytes()
        case MultiSpace(tokens=tokens), "dense":  # a single vector is a multi-vector of one row
            row = vector_of(message, path)
            check_vector(tokens, row, path)
            return MultiVector(row[None, :]).to_bytes()
        case _, "text":
            raise no_embedder(space, path)
        case _, None:
            raise EmptyVector(path)
        case _, kind:
            raise InvalidRequest(path, f"the space {space!r} is {kind_of_space(schema)}, and the vector is {kind}")


def write_multi(target: Vector, vector: MultiVector) -> None:
    """Fills an empty message with the vector."""
    for row in vector.rows:
        target.multi.vectors.add().values.extend(row.tolist())


def write_sparse(target: Vector, vector: SparseVector) -> None:
    """Fills an empty message with the vector."""
    target.sparse.indices.extend(vector.indices.tolist())
    target.sparse.values.extend(vector.values.tolist())
