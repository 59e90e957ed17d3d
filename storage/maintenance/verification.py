"""Verifying an index that a collection was opened with: by its checksum, behind the first searches."""

from storage.collection import Collection
from storage.index import Graph
from storage.schema import BlockEntry, DenseSpace
from storage.segments import BlockView, has_checksum, open_index


def verify(collection: Collection, space: DenseSpace, entry: BlockEntry, view: BlockView) -> bool:
    """Whether the index that the manifest names for a block is as it was built; then it serves from now on.

    A graph that served before its checksum was known, and does not have it, serves no longer.
    Requires: `entry` names an index.
    """
    assert entry.index is not None
    folder = view.block.path.parent
    if isinstance(view.index, Graph):
        if has_checksum(folder, entry.index):
            view.index.trust()
            return True
        collection.unseen.drop_graph(space.uid, entry.uid, entry.index)
        return False
    index = open_index(space, folder, entry.index)
    if index is not None:
        collection.unseen.show_index(space.uid, entry.uid, index, entry.index)
    return index is not None
