"""Vectors between numpy and the contract, without Python lists in between. Checks shapes of arguments, not values.

NaN, infinity and wrong lengths are sent as they are: the server refuses them and names the field.
"""

from collections.abc import Mapping

import numpy as np
from google.protobuf.internal.containers import MessageMap
from numpy.typing import NDArray

from headwater.models.points import VectorLike, VectorsLike
from headwater.v1 import common_pb2

UNNAMED = ""
_VALUES_TAG = bytes([common_pb2.DenseVector.VALUES_FIELD_NUMBER << 3 | 2])  # length-delimited: packed floats


def write_vector(given: VectorLike, message: common_pb2.Vector, path: str) -> None:
    """Raises TypeError for what is not numbers and ValueError for what is not one-dimensional, naming the field."""
    values = _float32(given, path)
    # Packed floats on the wire are the array's own bytes: one copy, where extend() would box every component.
    message.dense.MergeFromString(_VALUES_TAG + _varint(values.nbytes) + values.tobytes())


def vector_message(given: VectorLike, path: str = "vector") -> common_pb2.Vector:
    message = common_pb2.Vector()
    write_vector(given, message, path)
    return message


def write_vectors(given: VectorsLike, into: "MessageMap[str, common_pb2.Vector]", path: str) -> None:
    """A single vector is that of the unnamed space."""
    if not isinstance(given, Mapping):
        return write_vector(given, into[UNNAMED], path)
    for space, vector in given.items():
        write_vector(vector, into[space], f'{path}["{space}"]')


def vectors_of(messages: Mapping[str, common_pb2.Vector]) -> dict[str, NDArray[np.float32]]:
    return {space: np.asarray(vector.dense.values, dtype=np.float32) for space, vector in messages.items()}


def _float32(given: VectorLike, path: str) -> NDArray[np.float32]:
    """One-dimensional, little-endian. Values beyond float32 become infinite, which the server refuses."""
    try:
        values = np.asarray(given)
    except ValueError as error:
        raise ValueError(f"{path} is not one vector: {error}") from error
    if values.dtype.kind not in "fiu":
        raise TypeError(f"{path} is a vector of numbers, not of {values.dtype}")
    if values.ndim != 1:
        raise ValueError(f"{path} is one vector, not an array of shape {values.shape}")
    with np.errstate(over="ignore"):
        return values.astype("<f4", copy=False)


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)
