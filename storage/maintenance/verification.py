"""Verifies an index that a collection was opened with, behind the first searches. A graph without codes gets them."""

import logging
from collections.abc import Callable

from storage.collection import Collection
from storage.errors import EngineError
from storage.index import Graph
from storage.schema import BlockEntry, DenseSpace
from storage.segments import BlockView, has_checksum, open_with_codes

log = logging.getLogger(__name__)


def verify(
    collection: Collection, space: DenseSpace, entry: BlockEntry, view: BlockView, check: Callable[[], None]
) -> bool:
    """Whether the index that the manifest names for a block is as it was built; then it serves from now on.

    A graph that served before its checksum was known, and does not have it, serves no longer: searches scan its block
    at once, also while the commit that takes it away fails, which is raised. Calls `check` now and then, which may
    raise. Requires: `entry` names an index.
    """
    assert entry.index is not None
    folder, served = view.block.path.parent, view.index
    if isinstance(served, Graph):
        if served.damaged or (not served.trusted and not has_checksum(folder, entry.index)):
            served.damaged = True
            _take_away(collection, space, entry)
            return False
        served.trust()
        if not served.lacks_codes and served.has_good_codes(entry.index.checksum):
            return True
    index = open_with_codes(space, folder, entry.index, view.vectors, check)
    if index is not None:
        collection.unseen.show_index(space.uid, entry.uid, index, entry.index)
    return index is not None


def _take_away(collection: Collection, space: DenseSpace, entry: BlockEntry) -> None:
    """Has the manifest name no graph for the block. Raises EngineError."""
    assert entry.index is not None
    try:
        collection.unseen.drop_graph(space.uid, entry.uid, entry.index)
    except EngineError as error:
        reason = "and cannot be taken away now, so its rows are scanned"
        log.warning("graph %s of %r is damaged, %s: %s", entry.index.name, collection.name, reason, error)
        raise
