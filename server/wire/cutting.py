"""Cuts a request into its vectors and what is left, by one native pass over its bytes. Knows no meaning of fields."""

import ctypes
import threading
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from google.protobuf.descriptor import Descriptor
from numpy.typing import NDArray

from headwater.v1.common_pb2 import DenseVector, MultiVector, Vector
from server.wire.library import DONE, MAX_CUT, VALUES, Cut, CutSizes, Leads, library
from storage.kernels import address

KEY_BYTES = 1 << 14
"""Bytes of all keys of a request; protobuf reads requests with more."""

_COMPONENTS = {
    (DenseVector.DESCRIPTOR.name, DenseVector.VALUES_FIELD_NUMBER),
    (Vector.DESCRIPTOR.name, Vector.VALUES_FIELD_NUMBER),
    (Vector.DESCRIPTOR.name, Vector.RAW_FIELD_NUMBER),
}
"""The fields that hold components of a dense vector, all as the same bytes."""

Vectors = tuple[NDArray[np.float32], ...]


class Part(NamedTuple):
    """A query of a request: its bytes without the components of its vectors, and these, in the order of the bytes."""

    key: bytes
    vectors: Vectors


@dataclass(frozen=True, slots=True)
class CutRequest:
    """`others`: the fields of a request besides its list of queries, as they were sent; None: it is one query."""

    others: bytes | None
    parts: list[Part]


class _Scratch(threading.local):
    """What a native pass fills besides the vectors. Nothing in it is needed after the pass."""

    def __init__(self) -> None:
        self.keys = memoryview(bytearray(KEY_BYTES))
        self._keys = np.frombuffer(self.keys, np.uint8)
        rows = [memoryview(bytearray(8 * (MAX_CUT + 1))).cast("q") for _ in range(5)]
        self.key_ends, self.key_of, self.vector_ends, self.value_ends, self.value_places = rows
        self.cut = Cut(
            address(self._keys), KEY_BYTES, None, 0, *(address(np.frombuffer(row, np.int64)) for row in rows)
        )
        self.sizes = CutSizes()
        self.told = ctypes.byref(self.cut), ctypes.byref(self.sizes)


class Cutter:
    """Cuts requests of one type. Safe for many threads."""

    def __init__(self, query: Descriptor, list_field: int = 0) -> None:
        """`query`: the type of the request; or, with `list_field`, of the messages in this list of the request."""
        self._tables = _tables_of(query)
        self._leads = Leads(*map(address, self._tables), list_field)
        self._told_leads = ctypes.byref(self._leads)
        self._is_list = list_field > 0
        self._scratch = _Scratch()

    def cut(self, request: bytes) -> CutRequest | None:
        """None: protobuf must read the request."""
        values = self._fill(request)
        if values is None:
            return None
        scratch = self._scratch
        sizes = scratch.sizes
        if sizes.vectors == 1 and not self._is_list:
            return CutRequest(None, [Part(bytes(scratch.keys[: scratch.key_ends[0]]), (values[: sizes.values],))])
        ends = scratch.key_ends[: sizes.keys].tolist()
        keys = [bytes(scratch.keys[start:end]) for start, end in zip([0, *ends], ends, strict=False)]
        vectors = _split(values, scratch.value_ends[: sizes.vectors].tolist())
        parts, start = list[Part](), 0
        ends = scratch.vector_ends[: sizes.parts].tolist()
        for key, end in zip(scratch.key_of[: sizes.parts].tolist(), ends, strict=True):
            parts.append(Part(keys[key], tuple(vectors[start:end])))
            start = end
        return CutRequest(keys[0] if self._is_list else None, parts)

    def places(self, request: bytes) -> list[tuple[int, int]]:
        """Where the vectors are in a request that `cut` can cut: the position of the first component, and how many."""
        values = self._fill(request)
        assert values is not None
        scratch = self._scratch
        ends = scratch.value_ends[: scratch.sizes.vectors].tolist()
        starts = scratch.value_places[: scratch.sizes.vectors].tolist()
        return [(start, end - before) for start, before, end in zip(starts, [0, *ends], ends, strict=False)]

    def _fill(self, request: bytes) -> NDArray[np.float32] | None:
        """Cuts a request into the thread's own memory. Returns the components of its vectors."""
        native = library()
        if native is None:
            return None
        scratch, values = self._scratch, np.empty(len(request) // 4, np.float32)
        scratch.cut.values, scratch.cut.value_room = address(values), len(values)
        status = native.hw_request_cut(request, len(request), self._told_leads, *scratch.told)
        return values if status == DONE else None


def _split(values: NDArray[np.float32], ends: list[int]) -> list[NDArray[np.float32]]:
    return [values[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def _tables_of(root: Descriptor) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """The fields that lead to dense vectors, by kind of message; `root` is kind 0. See source/wire.h."""
    kinds = [root]
    starts, fields, inner = [0], list[int](), list[int]()
    for kind in kinds:  # which grows meanwhile
        for field in kind.fields:
            message = field.message_type
            if (kind.name, field.number) in _COMPONENTS:
                fields.append(field.number)
                inner.append(VALUES)
            elif message is not None and _leads(message, frozenset()):
                if message not in kinds:
                    kinds.append(message)
                fields.append(field.number)
                inner.append(kinds.index(message))
        starts.append(len(fields))
    return np.array(starts, np.int64), np.array(fields, np.int64), np.array(inner, np.int64)


def _leads(kind: Descriptor, above: frozenset[str]) -> bool:
    """Whether a message of this kind may hold a dense vector that is no row of a multi-vector."""
    if kind is DenseVector.DESCRIPTOR:
        return True
    if kind is MultiVector.DESCRIPTOR or kind.full_name in above:
        return False
    inner = [field.message_type for field in kind.fields if field.message_type is not None]
    return any(_leads(each, above | {kind.full_name}) for each in inner)
