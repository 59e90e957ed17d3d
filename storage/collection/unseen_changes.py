"""Changes of a collection that its users do not see: to blocks, indexes and pages. Each is a commit of its own.

Readers find the same points before and after it, and the commit sequence stays.
"""

from collections.abc import Callable
from typing import TypeVar

from storage.errors import SpaceNotFound
from storage.files import failpoint
from storage.ivf import Partition, write_partition
from storage.opening import OpenOnUse
from storage.schema import IndexFile, PartitionFile
from storage.segments import SegmentIndex, SpaceView
from storage.write import (
    Merged,
    Place,
    Transaction,
    Unit,
    attach_graph,
    drop_graph,
    is_worthwhile,
    repack,
    replace_blocks,
    reserve_block,
    set_index_progress,
    set_partition,
    show_graph,
)

MIN_SEALED = 1_000
"""Living rows of an open block that make sealing it on demand worthwhile."""

Outcome = TypeVar("Outcome")


class UnseenChanges:
    """Of one collection. Each returns once it is durable, and raises what a write does."""

    def __init__(self, files: OpenOnUse) -> None:
        self._files = files

    def seal_tails(self, *, dead_share: float | None = None) -> None:
        """Seals the open block of every space that has MIN_SEALED rows, or of which more than `dead_share` are dead."""

        def seal(transaction: Transaction) -> None:
            for space in transaction.core.spaces.values():
                block = space.blocks[-1]
                alive = block.count - block.deaths
                if alive >= MIN_SEALED if dead_share is None else block.deaths > dead_share * block.count:
                    transaction.seal(space)

        self._change(seal)

    def reserve_block(self, space_uid: int) -> int | None:
        """A uid for a new block of a space; None when the space is gone."""
        return self._change(lambda transaction: reserve_block(transaction, space_uid))

    def attach_graph(self, space_uid: int, block_uid: int, graph: SegmentIndex, index: IndexFile) -> bool:
        """Makes a built graph serve its block. False when the block is gone."""
        return self._change(lambda transaction: attach_graph(transaction, space_uid, block_uid, graph, index))

    def show_graph(self, space_uid: int, block_uid: int, graph: SegmentIndex, index: IndexFile) -> None:
        """Lets a graph serve that the manifest names already, and that has been verified now: another generation."""
        self._change(lambda transaction: show_graph(transaction, space_uid, block_uid, graph, index))

    def drop_graph(self, space_uid: int, block_uid: int, index: IndexFile) -> None:
        """Takes away a graph that serves and proved to be damaged: the block is scanned until it has another."""
        self._change(lambda transaction: drop_graph(transaction, space_uid, block_uid, index))

    def replace_blocks(self, space_uid: int, merged: Merged) -> bool:
        """Puts a merged block in place of its sources. False when one of them is gone."""
        return self._change(lambda transaction: replace_blocks(transaction, space_uid, merged))

    def set_index_progress(self, space_uid: int, embedder: str, seq: int, next_slot: int) -> bool:
        """Notes how far a managed index is. False when it is gone, or has another embedder by now."""
        return self._change(
            lambda transaction: set_index_progress(transaction, space_uid, embedder, seq, next_slot), frees=False
        )

    def set_partition(self, space: str, partition: Partition | None) -> PartitionFile | None:
        """Keeps the partition by which lists of a space are built from now on; None: they make their own.

        Returns how the manifest names it. Raises SpaceNotFound, InvalidRequest, StorageFull, StorageFailed.
        """
        found = self._space(space)
        uid, folder = found.schema.uid, found.blocks[0].block.path.parent
        file = None
        if partition is not None:
            number = self.reserve_block(uid)
            if number is None:
                raise self._not_found(space)
            file = write_partition(folder / f"{number}.partition", partition)
            failpoint("partition_written")
        if not self._change(lambda transaction: set_partition(transaction, uid, file), frees=partition is None):
            raise self._not_found(space)
        return file

    def repack(self, place: Place) -> Place | None:
        """Fills pages of ids and payloads anew from `place` on. Where to go on; None: this was all."""
        return self._change(lambda transaction: repack(transaction, place))

    def take_deletion(self) -> bool:
        """Whether something was deleted since this was asked last. Requires: a hold."""
        return is_worthwhile(self._files.core)

    def take_refusal(self) -> bool:
        """Whether a write was refused for want of room since this was asked last. Requires: a hold."""
        core = self._files.core
        refused, core.refused_for_room = core.refused_for_room, False
        return refused

    def _space(self, name: str) -> SpaceView:
        with self._files.hold():
            found = self._files.core.view.spaces.get(name)
        if found is None:
            raise self._not_found(name)
        return found

    def _not_found(self, space: str) -> SpaceNotFound:
        return SpaceNotFound(space, self._files.core.view.spaces, "using")

    def _change(self, change: Callable[[Transaction], Outcome], *, frees: bool = True) -> Outcome:
        """What publishes work frees room in the end, so it `frees` unless it says otherwise."""
        unit = Unit(change, lambda seq, outcome: outcome, alone=True, unseen=True, frees=frees)
        outcome: Outcome = self._files.submit(unit).result()
        return outcome
