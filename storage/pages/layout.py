"""The bytes of LMDB 0.9's data file (format 1) on a little-endian machine: page heads, trees, and the newest meta page.

page  0: number u64 | 8: unused u16, flags u16, lower u16, upper u16 | 16: offsets of nodes u16 each ... nodes ... end
      An overflow run has its number of pages (u32) in place of lower and upper, and its value from byte 16 on.
node  leaf:   0: size of the value u32, flags u16, size of the key u16 | 8: key, then the value or the page of its run
      branch: 0: page of the child u48, size of the key u16            | 8: key, the smallest of the child
meta  16: magic u32, version u32, address u64, map size u64 | 40: tree of free pages | 88: tree of tables
      136: last page u64, number of the commit u64
tree  0: unused u32, flags u16, depth u16 | 8: pages of branches, of leaves, of runs, entries, root: u64 each
"""

import struct
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

HEAD_BYTES = 16
NODE_HEAD_BYTES = 8
TREE_BYTES = 48
LONGEST_KEY = 511

BRANCH, LEAF, OVERFLOW, META = 0x01, 0x02, 0x04, 0x08
IN_RUN, IS_TABLE = 0x01, 0x02
INTEGER_KEYS = 0x08
NO_PAGE = 2**64 - 1
FIRST_PAGE = 2
"""Pages 0 and 1 are the meta pages."""

HEAD = struct.Struct("<QHHHH")
_TREE = struct.Struct("<IHHQQQQQ")
_META = struct.Struct("<IIQQ48s48sQQ")
_MAGIC, _VERSION = 0xBEEFC0DE, 1
_MOST_PAGES = 2**44
_PAGE_SIZES = tuple(2**power for power in range(9, 17))


class Damage(Exception):
    """What is wrong with a file, and at which byte offset."""

    def __init__(self, offset: int, message: str) -> None:
        super().__init__(f"byte {offset:,}: {message}")
        self.offset = offset
        self.message = message


@dataclass(frozen=True, slots=True)
class Tree:
    """LMDB's note of a tree. `place`: the byte offset of the note."""

    name: str
    place: int
    flags: int
    depth: int
    branches: int
    leaves: int
    in_runs: int
    entries: int
    root: int

    @classmethod
    def read(cls, name: str, place: int, data: bytes) -> "Tree":
        """Raises Damage when an empty tree claims to hold something, or the reverse."""
        _, flags, depth, branches, leaves, in_runs, entries, root = _TREE.unpack(data)
        tree = cls(name, place, flags, depth, branches, leaves, in_runs, entries, root)
        something = (depth, branches + leaves, entries)
        if any(something) != (root != NO_PAGE) or (root != NO_PAGE and not all(something)):
            raise Damage(place, f"the counts of the tree {name} do not fit together")
        return tree


@dataclass(frozen=True, slots=True)
class Meta:
    """What the newest commit notes of the file."""

    page_size: int
    last_page: int
    commit: int
    free: Tree
    tables: Tree


def newest_meta(start: bytes) -> Meta:
    """The newer of the two meta pages at the start of a file. Raises Damage.

    Commits write them in turn, so the other page belongs to the commit before. Neither may be damaged.
    """
    if len(start) < HEAD_BYTES + _META.size:
        raise Damage(len(start), "the file ends within its first page")
    page_size = int.from_bytes(start[40:44], "little")
    if page_size not in _PAGE_SIZES or len(start) < page_size + HEAD_BYTES + _META.size:
        raise Damage(40, f"{page_size:,} bytes is not a possible page size")
    metas = [_read_meta(start, number, page_size) for number in (0, 1)]
    newest = max(metas, key=lambda meta: meta.commit)
    if newest.commit and metas[1].commit - metas[0].commit not in (1, -1):
        raise Damage(
            0, f"its meta pages are of commits {metas[0].commit} and {metas[1].commit}, which do not follow each other"
        )
    if newest is not metas[newest.commit % 2]:
        raise Damage(0, f"commit {newest.commit} is in the wrong meta page")
    return newest


def _read_meta(start: bytes, number: int, page_size: int) -> Meta:
    base = number * page_size
    page, _, flags, _, _ = HEAD.unpack_from(start, base)
    magic, version, _, _, free, tables, last_page, commit = _META.unpack_from(start, base + HEAD_BYTES)
    if (page, flags, magic, version) != (number, META, _MAGIC, _VERSION):
        raise Damage(base, "this is not a meta page of LMDB")
    found = Meta(
        page_size,
        last_page,
        commit,
        Tree.read("of free pages", base + HEAD_BYTES + 24, free),
        Tree.read("of tables", base + HEAD_BYTES + 24 + TREE_BYTES, tables),
    )
    if int.from_bytes(free[:4], "little") != page_size:
        raise Damage(base + 40, "the meta pages differ in the size of pages")
    if found.free.flags != INTEGER_KEYS or found.tables.flags != 0:
        raise Damage(base + 44, "the trees have flags that this program never sets")
    if not FIRST_PAGE - 1 <= last_page < _MOST_PAGES:
        raise Damage(base + HEAD_BYTES + 120, f"page {last_page} cannot be the last")
    return found


def refuse(bad: NDArray[np.bool_], offsets: NDArray[np.int64], message: str) -> None:
    """Raises Damage at the smallest of `offsets` where `bad` is true."""
    if bad.any():
        _refuse_first(bad, offsets, message)


def _refuse_first(bad: NDArray[np.bool_], offsets: NDArray[np.int64], message: str) -> NoReturn:
    raise Damage(int(offsets[bad].min()), message)
