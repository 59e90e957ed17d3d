"""Reads pages of a file, many at a time. It uses plain reads: a mapping of a file that is too short would crash the
process."""

import os
from itertools import pairwise
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from storage.pages.layout import FIRST_PAGE, Damage, Meta, newest_meta, refuse

_LARGEST_PAGE = 2**16


class PageFile:
    """An LMDB file of `size` bytes from `start` in the file `path`; None: to its end. Use it in a `with` block.

    Offsets in Damage count from `start`.
    """

    def __init__(self, path: str, start: int = 0, size: int | None = None) -> None:
        """Raises Damage or OSError."""
        self._file = os.open(path, os.O_RDONLY)
        try:
            self._start = start
            self._size = os.fstat(self._file).st_size - start if size is None else size
            self.meta: Meta = newest_meta(self._read(0, min(2 * _LARGEST_PAGE, self._size)))
        except BaseException:
            os.close(self._file)
            raise
        self.page_size = self.meta.page_size
        self.pages = min(self._size // self.page_size, self.meta.last_page + 1)
        """Pages that the newest commit counts and that are here. Those at the end that are free may be missing."""
        self._taken = np.zeros(self.pages, np.bool_)
        self.taken_count = 0

    def __enter__(self) -> "PageFile":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._file)

    def offsets(self, pages: NDArray[np.int64]) -> NDArray[np.int64]:
        """The byte offsets of pages."""
        return pages * self.page_size

    def take(self, pages: NDArray[np.int64], counts: NDArray[np.int64], referrers: NDArray[np.int64]) -> None:
        """Marks the runs of `counts` pages from `pages` as reached; the bytes at `referrers` name them.

        Raises Damage when a page does not exist, or is reached twice.
        """
        refuse((pages < FIRST_PAGE) | (pages + counts > self.pages), referrers, "it names a page that does not exist")
        if counts.sum() > self.pages:
            raise Damage(int(referrers[0]), "together they name more pages than exist")
        each = np.repeat(pages - (np.cumsum(counts) - counts), counts) + np.arange(int(counts.sum()))
        refuse(
            self._taken[each] | _repeated(each), np.repeat(referrers, counts), "it names a page that is already in use"
        )
        self._taken[each] = True
        self.taken_count += len(each)

    def check_free(self, pages: NDArray[np.int64], referrers: NDArray[np.int64]) -> None:
        """Raises Damage when a page of the free list does not exist, is named twice or is in use. Needs all free
        pages."""
        refuse((pages < FIRST_PAGE) | (pages > self.meta.last_page), referrers, "it frees a page that does not exist")
        refuse(_repeated(pages), referrers, "it frees a page that is already free")
        here = pages < self.pages
        refuse(self._taken[pages[here]], referrers[here], "it frees a page that is in use")

    def load(self, pages: NDArray[np.int64]) -> NDArray[np.uint8]:
        """The bytes of `pages` as one array. Adjacent pages are read together. Requires: they ascend. Raises Damage."""
        out = np.empty(len(pages) * self.page_size + 8, np.uint8)  # 8 more bytes, so that a word can be read at the end
        view = memoryview(out.data)
        breaks = np.flatnonzero(np.diff(pages) != 1) + 1
        edges = [0, *breaks.tolist(), len(pages)] if len(pages) else []
        for low, high in pairwise(edges):
            self._fill(view[low * self.page_size : high * self.page_size], int(pages[low]) * self.page_size)
        return out

    def read_at(self, page: int, length: int) -> bytes:
        """At most `length` bytes from the start of a page. Raises Damage."""
        return self._read(page * self.page_size, length)

    def _read(self, offset: int, length: int) -> bytes:
        try:
            return os.pread(self._file, min(length, self._size - offset), self._start + offset)
        except OSError as error:
            raise Damage(offset, f"the file cannot be read: {error.strerror}") from None

    def _fill(self, target: memoryview, offset: int) -> None:
        while target:
            try:
                count = os.preadv(self._file, [target], self._start + offset)
            except OSError as error:
                raise Damage(offset, f"the file cannot be read: {error.strerror}") from None
            if not count:
                raise Damage(offset, "the file ends early")
            target, offset = target[count:], offset + count


def _repeated(pages: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which pages also occur earlier in the array."""
    order = np.argsort(pages, kind="stable")
    again = np.zeros(len(pages), np.bool_)
    again[order[1:]] = pages[order[1:]] == pages[order[:-1]]
    return again
