"""Keys: point ids and slots as bytes that sort in the promised order. FORMAT.md shows them."""

import struct

from storage.schema import PointId

# Persisted: do not renumber. Numbers sort before strings.
_NUMBER = 1
_STRING = 2

_NUMBER_KEY = struct.Struct(">BQ")
_SLOT = struct.Struct(">I")

MAX_SLOT = 2**32 - 2
MAX_ID_BYTES = 512
MAX_ID_NUMBER = 2**64 - 1


def encode_id(point_id: PointId) -> bytes:
    """The key of an id. Keys as bytes sort as the ids do."""
    if isinstance(point_id, int):
        return _NUMBER_KEY.pack(_NUMBER, point_id)
    return b"\x02" + point_id.encode()


def decode_id(key: bytes) -> PointId:
    if key[0] == _NUMBER:
        number: int = _NUMBER_KEY.unpack(key)[1]
        return number
    return key[1:].decode()


def encode_slot(slot: int) -> bytes:
    return _SLOT.pack(slot)


def decode_slot(key: bytes | memoryview) -> int:
    slot: int = _SLOT.unpack(key)[0]
    return slot
