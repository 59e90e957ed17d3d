"""Vectors: messages <-> float32 arrays, without a Python list of floats in between."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from headwater.v1.common_pb2 import DenseVector, Vector
from server.convert.sparse_and_multi import write_multi, write_sparse
from server.convert.vector_kinds import vector_kind, vector_of
from server.errors import no_embedder
from storage.errors import InvalidRequest
from storage.schema import CollectionSchema
from storage.vectors import MultiVector, SparseVector
from storage.write import SpaceVectors, check_vectors

if TYPE_CHECKING:
    from google.protobuf.internal.containers import MessageMap

_VALUES_TAG = bytes([DenseVector.VALUES_FIELD_NUMBER << 3 | 2])


def space_vectors_of(
    schema: CollectionSchema, points: Iterable[Mapping[str, Vector]], path: str
) -> dict[str, SpaceVectors]:
    """The dense vectors of the points at `path`: one float32 matrix (n, size) for each space.

    Raises SpaceNotFound, EmptyVector, DimensionMismatch, NotFinite or InvalidRequest, which name the vector. Raises
    EmbedderNotConfigured for a text: if the space has an embedder, texts were replaced before.
    """
    positions: defaultdict[str, list[int]] = defaultdict(list)
    rows: defaultdict[str, list[NDArray[np.float32]]] = defaultdict(list)
    for position, vectors in enumerate(points):
        for space in vectors:  # `items()` of a map field takes three times as long
            if space in schema.body_spaces:  # space_bodies_of converts those
                continue
            field = f'{path}[{position}].vectors["{space}"]'
            kind = vector_kind(vectors[space], field)
            if kind == "text" and space in schema.dense:
                raise no_embedder(space, field)
            if kind in ("sparse", "multi") and space in schema.dense:
                raise InvalidRequest(field, f"the space {space!r} is dense, and the vector is {kind}")
            positions[space].append(position)
            rows[space].append(vector_of(vectors[space], field))
    checked = {}
    for space, matrix in rows.items():
        path_of = partial(_vector_path, path, positions[space], space)
        checked[space] = check_vectors(schema, space, matrix, positions[space], path_of)
    return checked


def _vector_path(path: str, positions: Sequence[int], space: str, row: int) -> str:
    return f'{path}[{positions[row]}].vectors["{space}"]'


def set_vectors(
    target: "MessageMap[str, Vector]", vectors: Mapping[str, NDArray[np.float32] | SparseVector | MultiVector]
) -> None:
    """Fills a reply's map of vectors by space."""
    for space, vector in vectors.items():
        if isinstance(vector, SparseVector):
            write_sparse(target[space], vector)
        elif isinstance(vector, MultiVector):
            write_multi(target[space], vector)
        else:
            write_dense(target[space], vector)


def write_dense(target: Vector, row: NDArray[np.float32]) -> None:
    """Fills an empty message with the vector `row`."""
    # The wire form of a packed repeated float is its raw little-endian bytes: 20 times faster than `extend`.
    data = row.astype("<f4", copy=False).tobytes()
    target.dense.MergeFromString(_VALUES_TAG + _varint(len(data)) + data)


def _varint(number: int) -> bytes:
    parts = bytearray()
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    parts.append(number)
    return bytes(parts)
