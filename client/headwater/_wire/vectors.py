"""Converts vectors between numpy and the contract, without Python lists. Checks shapes of arguments, not values.

NaN, infinity and wrong lengths are sent as they are. The server refuses them and names the field.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from google.protobuf.internal.containers import MessageMap
from numpy.typing import NDArray

from headwater.models import MultiVector, SparseVector, SparseVectorLike, Text, VectorLike, VectorsLike
from headwater.v1 import common_pb2

UNNAMED = ""
_VALUES_TAG = bytes([common_pb2.DenseVector.VALUES_FIELD_NUMBER << 3 | 2])  # length-delimited: packed floats


def write_vector(given: VectorLike | str, message: common_pb2.Vector, path: str) -> None:
    """Raises TypeError for values that are not numbers, and ValueError unless one-dimensional. Both name the field."""
    if isinstance(given, Text | str):
        message.text.CopyFrom(text_message(given, path))
        return
    if isinstance(given, SparseVector | Mapping):
        _write_sparse(given, message.sparse, path)
        return
    if isinstance(given, MultiVector) or _is_matrix(given):
        rows = given.vectors if isinstance(given, MultiVector) else given
        if not isinstance(rows, Sequence | np.ndarray) or isinstance(rows, str) or np.ndim(rows[:0]) == 0:
            raise TypeError(f"{path} is a multi-vector of a list of rows, not of {type(rows).__name__}")
        for number, row in enumerate(rows):
            _write_dense(row, message.multi.vectors.add(), f"{path}.vectors[{number}]")
        message.multi.SetInParent()
        return
    _write_dense(given, message.dense, path)


def _write_dense(given: Any, message: common_pb2.DenseVector, path: str) -> None:
    values = float32_of(given, path)
    # Packed floats on the wire are the array's bytes, so one copy is enough. extend() would box every component.
    message.MergeFromString(_VALUES_TAG + _varint(values.nbytes) + values.tobytes())


def _is_matrix(given: Any) -> bool:
    """Whether it is a 2-D array, or a sequence of rows."""
    if isinstance(given, np.ndarray):
        return given.ndim == 2
    if not isinstance(given, Sequence) or isinstance(given, bytes | bytearray | memoryview) or not given:
        return False
    first = given[0]
    if not isinstance(first, Sequence | np.ndarray) or isinstance(first, str):
        return False
    try:
        return np.ndim(first) == 1
    except ValueError:  # ragged: the error that names the vector is raised later
        return False


def text_message(given: Text | str, path: str) -> common_pb2.Document:
    """Raises TypeError, which names the field, for a value that is not a string."""
    text = given.text if isinstance(given, Text) else given
    if not isinstance(text, str):
        raise TypeError(f"{path} is a text and takes a string, not {type(text).__name__}")
    try:
        return common_pb2.Document(text=text)
    except UnicodeEncodeError as error:
        raise ValueError(f"{path} has a lone surrogate at character {error.start}, which is not valid text") from None


def vector_message(given: VectorLike, path: str = "vector") -> common_pb2.Vector:
    message = common_pb2.Vector()
    write_vector(given, message, path)
    return message


def write_vectors(given: VectorsLike, into: "MessageMap[str, common_pb2.Vector]", path: str) -> None:
    """Writes the vectors of a point. A single vector belongs to the unnamed space."""
    if not isinstance(given, Mapping):
        return write_vector(given, into[UNNAMED], path)
    if given and all(isinstance(space, int | np.integer) for space in given):
        return write_vector(given, into[UNNAMED], path)  # a sparse vector as a dict of values by index
    for space, vector in given.items():
        if not isinstance(space, str):
            raise TypeError(f"{path} has a key of type {type(space).__name__}; spaces are named by strings")
        try:
            message = into[space]
        except UnicodeEncodeError:
            raise ValueError(f"{path} has a key with a lone surrogate, which is not valid text") from None
        write_vector(vector, message, f'{path}["{space}"]')


def vectors_of(messages: Mapping[str, common_pb2.Vector]) -> dict[str, Any]:
    return {space: _vector_of(vector) for space, vector in messages.items()}


def _vector_of(message: common_pb2.Vector) -> NDArray[np.float32] | SparseVector:
    if message.WhichOneof("kind") == "sparse":
        indices = np.asarray(message.sparse.indices, dtype=np.uint32)
        return SparseVector(indices, np.asarray(message.sparse.values, dtype=np.float32))
    if message.WhichOneof("kind") == "multi":
        return np.array([row.values for row in message.multi.vectors], dtype=np.float32)
    return np.asarray(message.dense.values, dtype=np.float32)


def _write_sparse(given: SparseVectorLike, message: common_pb2.SparseVector, path: str) -> None:
    """Raises TypeError for values that are not numbers, and ValueError for a wrong index. Both name the field."""
    vector = given if isinstance(given, SparseVector) else _sparse_of(given, path)
    indices = _array_of(vector.indices, f"{path}.indices")
    if indices.size and indices.dtype.kind not in "iu":
        raise TypeError(f"{path}.indices are integers, not {indices.dtype}")
    if indices.ndim != 1:
        raise ValueError(f"{path}.indices are one list, not an array of shape {indices.shape}")
    if indices.size and not 0 <= int(indices.min()) <= int(indices.max()) < 2**32:
        raise ValueError(f"{path}.indices are 0 to 2^32 - 1, not {int(indices.min())} to {int(indices.max())}")
    message.indices.extend(indices.tolist())
    message.values.extend(float32_of(vector.values, f"{path}.values").tolist())
    message.SetInParent()


def _sparse_of(given: Mapping[Any, Any], path: str) -> SparseVector:
    if set(given) == {"indices", "values"}:
        return SparseVector(given["indices"], given["values"])
    if not given or not all(isinstance(index, int | np.integer) for index in given):
        raise ValueError(f'{path} as a dict is {{"indices": [...], "values": [...]}} or values by index')
    return SparseVector([int(index) for index in given], list(given.values()))


def float32_of(given: Sequence[float] | NDArray[Any], path: str) -> NDArray[np.float32]:
    """One-dimensional, little-endian. Values beyond float32 become infinite, which the server refuses."""
    values = _array_of(given, path)
    if values.dtype.kind not in "fiu":
        raise TypeError(f"{path} is a vector of numbers, not of {values.dtype}")
    if values.ndim != 1:
        raise ValueError(f"{path} is one vector, not an array of shape {values.shape}")
    with np.errstate(over="ignore"):
        return values.astype("<f4", copy=False)


def _array_of(given: Any, path: str) -> NDArray[Any]:
    try:
        return np.asarray(given)
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise ValueError(f"{path} is not one vector: {error}") from None


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)
