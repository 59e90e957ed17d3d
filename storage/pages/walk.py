"""Checks an LMDB file page by page: its free list, its table of tables, and every table. Trusts nothing that it
reads."""

import struct
from collections.abc import Callable

from storage.pages.entries import Counter, counter_of
from storage.pages.free_list import check_free_pages, walk_free_list
from storage.pages.layout import IN_RUN, TREE_BYTES, Damage, Tree
from storage.pages.page_file import PageFile
from storage.pages.trees import Entries, walk_tree

Progress = Callable[[int, int], None]
"""Called with the pages checked so far, and the number of all pages."""


def walk_file(path: str, progress: Progress, start: int = 0, size: int | None = None) -> None:
    """Raises Damage unless the LMDB file in `path` (`size` bytes from `start`) is sound. Also raises OSError.

    Sound means: each page is reached once, lies in the file and fits what names it; keys ascend; counts are right; ids
    and points of a collection name each other. Other contents of values are not checked: points and vectors have
    checksums.
    """
    try:
        with PageFile(path, start, size) as file:
            _walk(file, progress)
    except (Damage, struct.error) as error:
        offset = error.offset if isinstance(error, Damage) else 0
        raise Damage(start + offset, error.message if isinstance(error, Damage) else str(error)) from None


def _walk(file: PageFile, progress: Progress) -> None:
    def tell() -> None:
        progress(file.taken_count, file.pages)

    free = walk_free_list(file, tell)
    tables: list[Tree] = []
    walk_tree(file, file.meta.tables, lambda entries: tables.extend(_read_tables(entries)), tell)
    counter = counter_of(tables)
    for table in sorted(tables, key=lambda table: table.name):
        walk_tree(file, table, _visit_of(counter, table), tell)
    check_free_pages(file, free)
    if counter is not None:
        counter.check()


def _visit_of(counter: Counter | None, table: Tree) -> Callable[[Entries], None]:
    return (lambda entries: None) if counter is None else counter.visit(table.name)


def _read_tables(entries: Entries) -> list[Tree]:
    """The tables among `entries`."""
    nodes = entries.nodes
    found = []
    for number, (offset, flags, size) in enumerate(
        zip(nodes.offsets.tolist(), nodes.flags.tolist(), nodes.sizes.tolist(), strict=True)
    ):
        if flags & IN_RUN or size != TREE_BYTES:
            raise Damage(offset, f"the entry of a table has {size:,} bytes, which is impossible")
        name = entries.key(number).decode(errors="replace")
        table = Tree.read(name, entries.value_at(number), entries.value(number))
        if table.flags:
            raise Damage(offset, f"the table {name!r} has flags that this program never sets")
        found.append(table)
    return found
