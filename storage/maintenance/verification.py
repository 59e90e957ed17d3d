"""Verifies an index that a collection was opened with, behind the first searches. A graph without codes gets them."""

from collections.abc import Callable

from storage.collection import Collection
from storage.index import Graph
from storage.schema import BlockEntry, DenseSpace
from storage.segments import BlockView, has_checksum, open_with_codes


def verify(
    collection: Collection, space: DenseSpace, entry: BlockEntry, view: BlockView, check: Callable[[], None]
) -> bool:
    """Whether the index that the manifest names for a block is as it was built; then it serves from now on.

    A graph that served before its checksum was known, and does not have it, serves no longer. Calls `check` now and
    then, which may raise. Requires: `entry` names an index.
    """
    assert entry.index is not None
    folder, served = view.block.path.parent, view.index
    if isinstance(served, Graph):
        if not served.trusted and not has_checksum(folder, entry.index):
            collection.unseen.drop_graph(space.uid, entry.uid, entry.index)
            return False
        served.trust()
        if not served.lacks_codes and served.has_good_codes(entry.index.checksum):
            return True
    index = open_with_codes(space, folder, entry.index, view.vectors, check)
    if index is not None:
        collection.unseen.show_index(space.uid, entry.uid, index, entry.index)
    return index is not None
