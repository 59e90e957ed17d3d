"""Changes to blocks, indexes and pages that users do not see. Each is a commit of its own.

Readers find the same points before and after it, and the commit sequence stays the same.
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
    attach_index,
    drop_graph,
    is_worthwhile,
    repack,
    replace_blocks,
    reserve_block,
    set_index_progress,
    set_partition,
    show_index,
)

MIN_SEALED = 1_000
"""Current rows that an open block must have to be sealed on demand."""

Outcome = TypeVar("Outcome")


class UnseenChanges:
    """The unseen changes of one collection. Each method returns once the change is durable, and raises what a write
    raises."""

    def __init__(self, files: OpenOnUse) -> None:
        self._files = files

    def seal_tails(self, *, dead_share: float | None = None) -> None:
        """Seals the open block of each space where it has MIN_SEALED current rows.

        `dead_share`: seal it instead where more than this share of its rows are dead.
        """

        def seal(transaction: Transaction) -> None:
            for space in transaction.core.spaces.values():
                block = space.blocks[-1]
                alive = block.count - block.deaths
                if alive >= MIN_SEALED if dead_share is None else block.deaths > dead_share * block.count:
                    transaction.seal(space)

        self._change(seal)

    def reserve_block(self, space_uid: int) -> int | None:
        """Returns a uid for a new block of a space; None when the space is gone."""
        return self._change(lambda transaction: reserve_block(transaction, space_uid))

    def attach_index(self, space_uid: int, block_uid: int, graph: SegmentIndex, index: IndexFile) -> bool:
        """Makes searches of a block use a graph that was built for it. False when the block is gone."""
        return self._change(lambda transaction: attach_index(transaction, space_uid, block_uid, graph, index))

    def show_index(self, space_uid: int, block_uid: int, graph: SegmentIndex, index: IndexFile) -> None:
        """Makes searches use a graph that the manifest already names, once it is verified. The generation of indexes
        rises."""
        self._change(lambda transaction: show_index(transaction, space_uid, block_uid, graph, index))

    def drop_graph(self, space_uid: int, block_uid: int, index: IndexFile) -> None:
        """Takes away a graph that serves and proved to be damaged: the block is scanned until it has another."""
        self._change(lambda transaction: drop_graph(transaction, space_uid, block_uid, index))

    def replace_blocks(self, space_uid: int, merged: Merged) -> bool:
        """Puts a merged block in place of its sources. False when one of them is gone."""
        return self._change(lambda transaction: replace_blocks(transaction, space_uid, merged))

    def set_index_progress(self, space_uid: int, embedder: str, seq: int, next_slot: int) -> bool:
        """Notes how far a managed index is. False when it is gone or has another embedder now."""
        return self._change(
            lambda transaction: set_index_progress(transaction, space_uid, embedder, seq, next_slot), frees=False
        )

    def set_partition(self, space: str, partition: Partition | None) -> PartitionFile | None:
        """Stores the partition for lists that are built from now on; None: each build makes its own.

        Returns the partition's entry in the manifest. Raises SpaceNotFound, InvalidRequest, StorageFull, StorageFailed.
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
        """Fills some pages of ids and payloads anew, from `place` on. Returns where to go on; None when this was
        all."""
        return self._change(lambda transaction: repack(transaction, place))

    def take_deletion(self) -> bool:
        """Whether something was deleted since the last call. Requires: a hold."""
        return is_worthwhile(self._files.core)

    def take_refusal(self) -> bool:
        """Whether a write was refused for lack of room since the last call. Requires: a hold."""
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
        """Commits `change`. `frees` says that it frees room, so it may use the reserve. Background work does so in the
        end."""
        unit = Unit(change, lambda seq, outcome: outcome, alone=True, unseen=True, frees=frees)
        outcome: Outcome = self._files.submit(unit).result()
        return outcome
