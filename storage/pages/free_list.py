"""The list of free pages of an LMDB file: for each commit the pages that it freed, the largest number first."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from storage.pages.layout import Damage
from storage.pages.page_file import PageFile
from storage.pages.trees import Entries, walk_tree

_NUMBER_BYTES = 8


class _FreePages:
    """Collects the pages that the list names, and the byte offset at which each is named."""

    def __init__(self, file: PageFile) -> None:
        self._file = file
        self.pages: list[NDArray[np.int64]] = []
        self.named_at: list[NDArray[np.int64]] = []

    def visit(self, entries: Entries) -> None:
        nodes = entries.nodes
        commits = nodes.word_at(nodes.keys.starts)
        for number, (commit, offset, size) in enumerate(
            zip(commits.tolist(), nodes.offsets.tolist(), nodes.sizes.tolist(), strict=True)
        ):
            if not 0 < commit <= self._file.meta.commit:
                raise Damage(offset, f"pages are freed by commit {commit}, which does not exist")
            if size < _NUMBER_BYTES or size % _NUMBER_BYTES:
                raise Damage(offset, f"a list of pages cannot have {size:,} bytes")
            self._add(entries.value(number), entries.value_at(number))

    def _add(self, data: bytes, at: int) -> None:
        numbers = np.minimum(np.frombuffer(data, "<u8"), np.uint64(2**62)).astype(np.int64)
        count = int(numbers[0])
        if count >= len(numbers):
            raise Damage(at, f"a list of {len(numbers) - 1:,} pages claims to have {count:,}")
        pages = numbers[1 : 1 + count]
        if (np.diff(pages) >= 0).any():
            raise Damage(at, "a list of free pages is out of order")
        self.pages.append(pages)
        self.named_at.append(at + _NUMBER_BYTES * np.arange(1, 1 + count))


def walk_free_list(file: PageFile, progress: Callable[[], None]) -> _FreePages:
    """Checks the pages of the list itself; returns the pages that it names. Raises Damage."""
    found = _FreePages(file)
    walk_tree(file, file.meta.free, found.visit, progress)
    return found


def check_free_pages(file: PageFile, found: _FreePages) -> None:
    """Raises Damage when a free page is in use. Requires: all trees were walked."""
    if found.pages:
        file.check_free(np.concatenate(found.pages), np.concatenate(found.named_at))
