"""Keys: point ids and slots as bytes that sort in the promised order. FORMAT.md shows them."""

import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from storage.schema import PointId

# Persisted: do not renumber. Numbers sort before strings.
_NUMBER = 1
_STRING = 2

_NUMBER_KEY = struct.Struct(">BQ")
_NUMBER_KEYS = np.dtype([("kind", "u1"), ("number", ">u8")])  # the same
_SLOT = struct.Struct(">I")

_FEW = 16  # of so few each is encoded alone: making an array takes longer

MAX_SLOT = 2**32 - 2
MAX_ID_BYTES = 512
MAX_ID_NUMBER = 2**64 - 1


def encode_id(point_id: PointId) -> bytes:
    """The key of an id. Keys as bytes sort as the ids do."""
    if isinstance(point_id, int):
        return _NUMBER_KEY.pack(_NUMBER, point_id)
    return b"\x02" + point_id.encode()


def encode_ids(ids: Sequence[PointId]) -> list[bytes]:
    """The keys of many ids."""
    if len(ids) < _FEW or set(map(type, ids)) != {int}:
        return [encode_id(point_id) for point_id in ids]
    return encode_numbers(np.array(ids, np.uint64))


def encode_numbers(ids: NDArray[np.uint64]) -> list[bytes]:
    """The keys of many ids that are numbers."""
    if len(ids) < _FEW:
        return [_NUMBER_KEY.pack(_NUMBER, number) for number in ids.tolist()]
    keys = np.empty(len(ids), _NUMBER_KEYS)
    keys["kind"], keys["number"] = _NUMBER, ids
    encoded: list[bytes] = keys.view(f"V{_NUMBER_KEY.size}").tolist()
    return encoded


def decode_numbers(keys: Sequence[bytes]) -> NDArray[np.uint64] | None:
    """The ids of these keys. None: one of them is no number."""
    joined = b"".join(keys)
    if len(joined) != _NUMBER_KEY.size * len(keys):
        return None
    read = np.frombuffer(joined, _NUMBER_KEYS)
    if (read["kind"] != _NUMBER).any() or set(map(len, keys)) - {_NUMBER_KEY.size}:
        return None
    return read["number"].astype(np.uint64)


def decode_id(key: bytes) -> PointId:
    if key[0] == _NUMBER:
        number: int = _NUMBER_KEY.unpack(key)[1]
        return number
    return key[1:].decode()


def encode_slot(slot: int) -> bytes:
    return _SLOT.pack(slot)


def encode_slots(slots: Sequence[int] | NDArray[np.integer]) -> list[bytes]:
    """The keys of many slots."""
    if len(slots) < _FEW:
        return [_SLOT.pack(slot) for slot in slots]
    encoded: list[bytes] = np.array(slots, ">u4").view(f"V{_SLOT.size}").tolist()
    return encoded


def decode_slot(key: bytes | memoryview) -> int:
    slot: int = _SLOT.unpack(key)[0]
    return slot
