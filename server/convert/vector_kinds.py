"""The kind of vector that a message holds, and the components of a dense one, which may be sent in three forms."""

import numpy as np
from numpy.typing import NDArray

from headwater.v1.common_pb2 import Vector
from storage.errors import InvalidRequest

_COMPONENT = np.dtype("<f4")


def vector_kind(message: Vector, path: str) -> str | None:
    """`dense`, `sparse`, `multi` or `text`; None: nothing is set. Raises InvalidRequest if two kinds are set."""
    kind: str | None = message.WhichOneof("kind")
    if message.values:
        if kind is not None:
            raise InvalidRequest(path, f"exactly one kind of vector is set, not both values and {kind}")
        return "dense"
    return "dense" if kind == "raw" else kind


def vector_of(message: Vector, path: str) -> NDArray[np.float32]:
    """The components of a dense vector as they were sent, float32 (d,), not checked. Empty if nothing is set.

    Raises InvalidRequest if two kinds are set, and for bytes that are no whole components.
    """
    if message.values:
        vector_kind(message, path)
        return np.asarray(message.values, dtype=np.float32)
    if message.WhichOneof("kind") != "raw":
        return np.asarray(message.dense.values, dtype=np.float32)
    if len(message.raw) % _COMPONENT.itemsize:
        what = f"raw takes {_COMPONENT.itemsize} bytes for each component, so not {len(message.raw)} bytes"
        raise InvalidRequest(path, what)
    return np.frombuffer(message.raw, _COMPONENT).astype(np.float32, copy=False)
