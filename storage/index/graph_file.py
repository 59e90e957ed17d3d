"""Checks the file of a graph, which may come from anywhere. usearch follows what the file says without checking it.

length of a vector u32 after the number of rows u32, the vectors, then
head   64: "usearch", version u16[3], kinds of metric, scalar, key and slot u8 each, counts u64[2], dimensions u64
graph  40: nodes u64, links u64, links at the bottom u64, highest level u64, entry u64
levels i16 by node | nodes: key u64, level i16, then by level the number of links u32 and room for them, u32 each
"""

import logging
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from storage.index.graph_codes import codes_file
from storage.ivf import MAGIC

log = logging.getLogger(__name__)

_MATRIX = struct.Struct("<II")
_HEAD = struct.Struct("<7s3H4BQQQ")
_HEAD_BYTES = 64
_GRAPH = struct.Struct("<5Q")
_NODE_HEAD_BYTES = 10
_KEY_U64, _SLOT_U32 = 0x0E, 0x0F
_BITS_OF_SCALAR = {0x04: 16, 0x0C: 16, 0x0B: 32, 0x17: 8, 0x01: 1}
_MOST_LINKS = 2**12
_NODES_AT_ONCE = 2**16


class UnsoundGraph(Exception):
    """A search of the graph could read outside its data."""


def remove_unsound_graphs(folder: Path) -> None:
    """Removes the graphs in a collection's `folder` that could crash usearch. They will be built again."""
    for path in sorted(folder.glob("spaces/*/*.index")):
        with path.open("rb") as file:
            if file.read(len(MAGIC)) == MAGIC:
                continue  # reading IVF lists checks bounds itself
        try:
            check_graph(path, path.with_name(path.name.split(".")[0] + ".vectors"))
        except UnsoundGraph as error:
            log.warning("index %s is removed: %s; it will be built again", path, error)
            path.unlink()
            codes_file(path).unlink(missing_ok=True)


def check_graph(path: Path, vectors: Path) -> None:
    """Raises UnsoundGraph unless every link leads to a node on its level, and every key is a position in `vectors`.

    Also raises OSError. Searching a graph that passes may still give wrong results. That costs recall alone, since
    distances are computed again from the originals.
    """
    length = path.stat().st_size
    with path.open("rb") as file:
        rows, row_bytes = _MATRIX.unpack(_exactly(file.read(_MATRIX.size), _MATRIX.size))
        file.seek(_MATRIX.size + rows * row_bytes)
        head = _exactly(file.read(_HEAD_BYTES), _HEAD_BYTES)
        magic, _, _, _, _, scalar, key, slot, _, _, dimensions = _HEAD.unpack_from(head)
        bits = _BITS_OF_SCALAR.get(scalar)
        if magic != b"usearch" or (key, slot) != (_KEY_U64, _SLOT_U32) or bits is None:
            raise UnsoundGraph("the file is not one of our graphs")
        positions = vectors.stat().st_size // (4 * max(1, dimensions)) if vectors.exists() else 0
        if dimensions > 2**20 or row_bytes != -(-dimensions * bits // 8):
            raise UnsoundGraph("its vectors have an impossible length")
        size, links, base_links, highest, entry = _GRAPH.unpack(_exactly(file.read(_GRAPH.size), _GRAPH.size))
        if size != rows or 2 * size > length or max(links, base_links) > _MOST_LINKS or (size and entry >= size):
            raise UnsoundGraph("its counts do not fit the file")
        levels = np.frombuffer(_exactly(file.read(2 * size), 2 * size), "<i2").astype(np.int64)
        if size and ((levels < 0).any() or levels.max() != highest or levels[entry] != highest):
            raise UnsoundGraph("its levels do not fit together")
        sizes = _NODE_HEAD_BYTES + 4 * (1 + base_links) + levels * 4 * (1 + links)
        if file.tell() + int(sizes.sum()) != length:
            raise UnsoundGraph("the file's length differs from that of its nodes")
        for start in range(0, size, _NODES_AT_ONCE):
            part = slice(start, start + _NODES_AT_ONCE)
            here = int(sizes[part].sum())
            data = np.frombuffer(_exactly(file.read(here), here), np.uint8)
            starts = np.cumsum(sizes[part]) - sizes[part]
            if (_numbers(data, starts, 8) >= positions).any() or (_numbers(data, starts + 8, 2) != levels[part]).any():
                raise UnsoundGraph("a node has an impossible key or another level than listed")
            _check_links(data, starts, levels[part], levels, (base_links, links))


def _check_links(
    data: NDArray[np.uint8],
    starts: NDArray[np.int64],
    own_levels: NDArray[np.int64],
    levels: NDArray[np.int64],
    links: tuple[int, int],
) -> None:
    base, upper = links
    for level in range(int(own_levels.max(initial=0)) + 1):
        here = starts[own_levels >= level] + _NODE_HEAD_BYTES
        most = base if level == 0 else upper
        if level:
            here = here + 4 * (1 + base) + (level - 1) * 4 * (1 + upper)
        counts = _numbers(data, here, 4)
        if (counts > most).any():
            raise UnsoundGraph("a node has more links than there is room for")
        each = np.repeat(here + 4 - 4 * (np.cumsum(counts) - counts), counts) + 4 * np.arange(int(counts.sum()))
        targets = _numbers(data, each, 4)
        if (targets >= len(levels)).any() or (levels[targets] < level).any():
            raise UnsoundGraph("a link leads to a node that is not on its level")


def _numbers(data: NDArray[np.uint8], offsets: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Reads unsigned numbers of `size` bytes at the `offsets` in the data. Larger numbers than 2**62 become 2**62."""
    if not len(offsets):
        return np.zeros(0, np.int64)
    every: NDArray[np.unsignedinteger] = np.ndarray((len(data) - size + 1,), f"<u{size}", data.data, strides=(1,))
    return np.minimum(every[offsets].astype(np.uint64), np.uint64(2**62)).astype(np.int64)


def _exactly(data: bytes, size: int) -> bytes:
    if len(data) != size:
        raise UnsoundGraph("the file ends early")
    return data
