"""Checks one tree of an LMDB file: every page once, level by level, and each key against the bounds of its page."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from storage.pages.keys import NONE, Keys, before, joined, no_keys
from storage.pages.layout import (
    HEAD,
    HEAD_BYTES,
    IN_RUN,
    INTEGER_KEYS,
    IS_TABLE,
    NO_PAGE,
    NODE_HEAD_BYTES,
    OVERFLOW,
    Damage,
    Tree,
    refuse,
)
from storage.pages.nodes import Nodes, read_nodes
from storage.pages.page_file import PageFile

PAGES_AT_ONCE = 1024
RUN_START_BYTES = 1024
"""How many bytes are read of a value in a run of pages. Visitors of entries see only this beginning."""

TREE_ROOT_AT = 40
_DEEPEST = 32  # the depth that LMDB itself can walk


@dataclass(frozen=True, slots=True)
class Entries:
    """Some entries of a tree: their nodes, and the first bytes of the values in runs, by number of the node."""

    file: PageFile
    nodes: Nodes
    run_starts: dict[int, bytes]

    def key(self, number: int) -> bytes:
        start = int(self.nodes.keys.starts[number])
        return self.nodes.keys.data[start : start + int(self.nodes.keys.lengths[number])].tobytes()

    def value(self, number: int) -> bytes:
        """The whole value of a node. Raises Damage."""
        start, size = int(self.nodes.values[number]), int(self.nodes.sizes[number])
        if number not in self.run_starts:
            return self.nodes.keys.data[start : start + size].tobytes()
        page = int(self.nodes.word_at(np.array([start]))[0])
        value = self.file.read_at(page, HEAD_BYTES + size)[HEAD_BYTES:]
        if len(value) < size:
            raise Damage(page * self.file.page_size, "the file ends early")
        return value

    def value_at(self, number: int) -> int:
        """The byte offset in the file at which the value of a node begins."""
        start = int(self.nodes.values[number])
        if number not in self.run_starts:
            return int(self.nodes.offsets[number] + start - self.nodes.keys.starts[number]) + NODE_HEAD_BYTES
        return int(self.nodes.word_at(np.array([start]))[0]) * self.file.page_size + HEAD_BYTES


Visit = Callable[[Entries], None]


def walk_tree(file: PageFile, tree: Tree, visit: Visit, progress: Callable[[], None]) -> None:
    """Checks all pages of a tree. Calls `visit` with its entries, in no order. Raises Damage."""
    if tree.root == NO_PAGE:
        return
    if not 1 <= tree.depth <= _DEEPEST:
        raise Damage(tree.place, f"the tree {tree.name} is {tree.depth} pages deep, which is impossible")
    if tree.root >= 2**63:
        raise Damage(tree.place, f"the tree {tree.name} begins at a page that does not exist")
    walk = _Walk(file, tree, visit, progress)
    root = np.array([tree.root], np.int64)
    bounds = no_keys(1, integers=walk.integers)
    walk.level(root, np.array([tree.place + TREE_ROOT_AT]), bounds, bounds, tree.depth)
    walk.check_counts()


class _Walk:
    """One walk. Each level is done in parts, and each part with all levels below it, so that memory stays bounded."""

    def __init__(self, file: PageFile, tree: Tree, visit: Visit, progress: Callable[[], None]) -> None:
        self._file = file
        self._tree = tree
        self._visit = visit
        self._progress = progress
        self.integers = tree.flags == INTEGER_KEYS
        self._branches = self._leaves = self._in_runs = self._entries = 0

    def level(
        self, pages: NDArray[np.int64], referrers: NDArray[np.int64], low: Keys, high: Keys, levels_left: int
    ) -> None:
        """Checks pages whose keys must be from `low` to before `high`. `referrers`: the byte offsets that name the
        pages."""
        order = np.argsort(pages)
        for start in range(0, len(order), PAGES_AT_ONCE):
            part = order[start : start + PAGES_AT_ONCE]
            self._file.take(pages[part], np.ones(len(part), np.int64), referrers[part])
            self._part(pages[part], low.take(part), high.take(part), levels_left)
            self._progress()

    def _part(self, pages: NDArray[np.int64], low: Keys, high: Keys, levels_left: int) -> None:
        leaves = levels_left == 1
        size, places = self._file.page_size, self._file.offsets(pages)
        nodes = read_nodes(self._file.load(pages), places, size, leaves=leaves, integers=self.integers)
        _check_bounds(nodes, places, low, high, leaves=leaves)
        if leaves:
            self._leaves += len(pages)
            self._entries += len(nodes.page_of)
            self._visit(Entries(self._file, nodes, self._check_runs(nodes)))
            return
        self._branches += len(pages)
        # LMDB aborts the process at a branch with one child, except in the free list.
        refuse((nodes.counts < 2) & (not self.integers), places, "the branch has only one child")
        below = _bounds_of_children(nodes, low, high)
        self.level(nodes.children, nodes.offsets, *below, levels_left - 1)

    def _check_runs(self, nodes: Nodes) -> dict[int, bytes]:
        """Checks the runs of pages that hold large values. Returns the first bytes of each value, by number of its
        node."""
        wrong = nodes.flags & IS_TABLE if self._tree.name != "of tables" else (nodes.flags ^ IS_TABLE)
        refuse(wrong & IS_TABLE != 0, nodes.offsets + 4, "the node's flags do not fit its tree")
        large = np.flatnonzero(nodes.flags & IN_RUN)
        if not len(large):
            return {}
        size, places = self._file.page_size, nodes.values[large]
        first, referrers = nodes.word_at(places), nodes.offsets[large]
        refuse((first < 2) | (first >= self._file.pages), referrers, "it names a page that does not exist")
        starts, counts = {}, []
        for number, page, length in zip(large.tolist(), first.tolist(), nodes.sizes[large].tolist(), strict=True):
            head = self._file.read_at(page, HEAD_BYTES + min(length, RUN_START_BYTES))
            if len(head) < HEAD_BYTES:
                raise Damage(page * size, "the file ends early")
            found, _, flags, low, high = HEAD.unpack_from(head)
            count = low | high << 16
            if found != page or flags != OVERFLOW or count * size < HEAD_BYTES + length:
                raise Damage(page * size, "the page does not begin the run that its entry needs")
            counts.append(count)
            starts[number] = head[HEAD_BYTES:]
        self._file.take(first, np.array(counts, np.int64), referrers)
        self._in_runs += sum(counts)
        return starts

    def check_counts(self) -> None:
        """Raises Damage unless the pages and entries found are as many as LMDB noted for the tree."""
        tree = self._tree
        for what, found, said in (
            ("branches", self._branches, tree.branches),
            ("leaves", self._leaves, tree.leaves),
            ("pages of large values", self._in_runs, tree.in_runs),
            ("entries", self._entries, tree.entries),
        ):
            if found != said:
                raise Damage(tree.place, f"the tree {tree.name} claims {said:,} {what} but has {found:,}")


def _check_bounds(nodes: Nodes, places: NDArray[np.int64], low: Keys, high: Keys, *, leaves: bool) -> None:
    """Checks that the first key that counts is not before `low`, and the last one is before `high`."""
    first = nodes.first + (0 if leaves else 1)
    kept = np.flatnonzero((low.lengths != NONE) & (first <= nodes.last))
    wrong = before(nodes.keys.take(first[kept]), low.take(kept))
    refuse(wrong, places[kept], "keys of the page come before the bound that its parent gives")
    kept = np.flatnonzero((high.lengths != NONE) & (first <= nodes.last))
    wrong = ~before(nodes.keys.take(nodes.last[kept]), high.take(kept))
    refuse(wrong, places[kept], "keys of the page come after the bound that its parent gives")


def _bounds_of_children(nodes: Nodes, low: Keys, high: Keys) -> tuple[Keys, Keys]:
    """The bounds of each child's keys: from the child's own key to the next one; at the edges, the page's bounds."""
    count = len(nodes.page_of)
    pool = joined(joined(nodes.keys, low.copied(np.arange(len(low)))), high.copied(np.arange(len(high))))
    lows, highs = np.arange(count), np.arange(1, count + 1)
    lows[nodes.first] = count + np.arange(len(low))
    highs[nodes.last] = count + len(low) + np.arange(len(high))
    return pool.take(lows), pool.take(highs)
