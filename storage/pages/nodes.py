"""The nodes of many pages of one kind at once. Checks that nodes lie within their page, do not overlap, and ascend by
key."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from storage.pages.keys import Keys, before
from storage.pages.layout import BRANCH, HEAD_BYTES, IN_RUN, IS_TABLE, LEAF, LONGEST_KEY, NODE_HEAD_BYTES, refuse


@dataclass(frozen=True, slots=True)
class Nodes:
    """Nodes of pages, in key order. `data` holds the bytes of the pages; all starts are positions in it.

    For each node: `page_of`, the number of its page among the given ones; `offsets`, its byte offset in the file;
    `flags`, and `sizes` and starts of its value (leaf pages); `children`, its child pages (branch pages). For each
    page: `counts`, its number of nodes.
    """

    keys: Keys
    counts: NDArray[np.int64]
    page_of: NDArray[np.int64]
    offsets: NDArray[np.int64]
    flags: NDArray[np.int64]
    sizes: NDArray[np.int64]
    values: NDArray[np.int64]
    children: NDArray[np.int64]

    @property
    def first(self) -> NDArray[np.int64]:
        """For each page, the number of its first node."""
        return np.cumsum(self.counts) - self.counts

    @property
    def last(self) -> NDArray[np.int64]:
        return np.cumsum(self.counts) - 1

    def word_le(self, places: NDArray[np.int64]) -> NDArray[np.uint64]:
        """The eight bytes at each of `places` in the data, as little-endian numbers."""
        return _words(self.keys.data)[places]

    def word_at(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """The number at each of `places` in the data. Larger numbers than 2**62 become 2**62."""
        return np.minimum(self.word_le(places), np.uint64(2**62)).astype(np.int64)


def read_nodes(
    data: NDArray[np.uint8], places: NDArray[np.int64], page_size: int, *, leaves: bool, integers: bool
) -> Nodes:
    """The nodes of pages. `data`: the bytes of the pages and eight more; `places`: where each page begins in the file.

    Raises Damage.
    """
    heads = data[:-8].reshape(-1, page_size)[:, :HEAD_BYTES].copy()
    numbers = heads[:, :8].copy().view("<u8")[:, 0]
    flags, lower, upper = (heads[:, at : at + 2].copy().view("<u2")[:, 0].astype(np.int64) for at in (10, 12, 14))
    refuse(numbers != (places // page_size).astype(np.uint64), places, "the page holds the number of another page")
    refuse(flags != (LEAF if leaves else BRANCH), places + 10, f"the page is not a {'leaf' if leaves else 'branch'}")
    refuse((lower <= HEAD_BYTES) | (lower % 2 != 0) | (lower > upper) | (upper > page_size), places + 12, _BOUNDS)
    counts = (lower - HEAD_BYTES) >> 1
    page_of = np.repeat(np.arange(len(places)), counts)
    number = np.arange(len(page_of)) - np.repeat(np.cumsum(counts) - counts, counts)
    pointer_at = page_of * page_size + HEAD_BYTES + 2 * number
    pointers = data[:-8].view("<u2")[pointer_at >> 1].astype(np.int64)
    outside = (pointers < upper[page_of]) | (pointers > page_size - NODE_HEAD_BYTES) | (pointers % 2 != 0)
    refuse(outside, places[page_of] + HEAD_BYTES + 2 * number, "a node begins outside of its page")
    nodes = _nodes(data, _Pointers(places, counts, page_of, pointers), page_size, leaves=leaves, integers=integers)
    _check_tiling(nodes, pointers, upper, page_size, leaves=leaves)
    _check_keys(nodes, number, leaves=leaves)
    return nodes


_BOUNDS = "the bounds of the page's nodes are impossible"


@dataclass(frozen=True, slots=True)
class _Pointers:
    """For each page: its byte offset in the file, and its number of nodes. For each node: the number of its page, and
    its offset there."""

    places: NDArray[np.int64]
    counts: NDArray[np.int64]
    page_of: NDArray[np.int64]
    within: NDArray[np.int64]


def _nodes(data: NDArray[np.uint8], pointers: _Pointers, page_size: int, *, leaves: bool, integers: bool) -> Nodes:
    """Reads the nodes that begin at the pointers of their pages."""
    starts = pointers.page_of * page_size + pointers.within
    heads = _words(data)[starts]
    key_sizes = (heads >> np.uint64(48)).astype(np.int64)
    keys = Keys(data, starts + NODE_HEAD_BYTES, key_sizes, integers)
    none = np.zeros(0, np.int64)
    return Nodes(
        keys=keys,
        counts=pointers.counts,
        page_of=pointers.page_of,
        offsets=pointers.places[pointers.page_of] + pointers.within,
        flags=((heads >> np.uint64(32)) & np.uint64(0xFFFF)).astype(np.int64) if leaves else none,
        sizes=(heads & np.uint64(0xFFFFFFFF)).astype(np.int64) if leaves else none,
        values=keys.starts + key_sizes if leaves else none,
        children=none if leaves else (heads & np.uint64(0xFFFFFFFFFFFF)).astype(np.int64),
    )


def _check_tiling(
    nodes: Nodes, pointers: NDArray[np.int64], upper: NDArray[np.int64], page_size: int, *, leaves: bool
) -> None:
    """Checks that nodes fill a page from `upper` to its end: each node but the first begins where another ends."""
    stored = NODE_HEAD_BYTES + nodes.keys.lengths
    if leaves:
        refuse(
            (nodes.flags & ~(IN_RUN | IS_TABLE)) != 0,
            nodes.offsets + 4,
            "the node has flags that this program never sets",
        )
        stored += np.where(nodes.flags & IN_RUN, 8, nodes.sizes)
    ends = pointers + stored + stored % 2
    refuse(ends > page_size, nodes.offsets, "the node ends outside of its page")
    slots = page_size // 2 + 1
    begins_at = np.zeros((len(upper), slots), np.bool_)
    ends_at = np.zeros((len(upper), slots), np.bool_)
    pages = np.arange(len(upper))
    begins_at[pages, slots - 1] = ends_at[pages, upper >> 1] = True
    begins_at.reshape(-1)[nodes.page_of * slots + (pointers >> 1)] = True
    ends_at.reshape(-1)[nodes.page_of * slots + (ends >> 1)] = True
    wrong = (begins_at != ends_at).any(axis=1) | (np.count_nonzero(begins_at, axis=1) != nodes.counts + 1)
    refuse(wrong[nodes.page_of], nodes.offsets // page_size * page_size, "the nodes of the page overlap or leave gaps")


def _check_keys(nodes: Nodes, number: NDArray[np.int64], *, leaves: bool) -> None:
    """Checks that keys ascend. The first key of a branch does not count: LMDB may leave it empty."""
    lengths, keys = nodes.keys.lengths, nodes.keys
    wanted = np.ones(len(number), np.bool_) if leaves else number > 0
    wrong = (lengths != 8) if keys.integers else (lengths < 1) | (lengths > LONGEST_KEY)
    refuse(wanted & wrong, nodes.offsets + 6, "the length of the key is impossible")
    second = np.flatnonzero(number > (0 if leaves else 1))
    refuse(
        ~before(keys.take(second - 1), keys.take(second)),
        nodes.offsets[second],
        "its key does not come after the key before it",
    )


def _words(data: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """The eight bytes from every position of `data`, as numbers."""
    words: NDArray[np.uint64] = np.ndarray((len(data) - 7,), "<u8", data.data, strides=(1,))
    return words
