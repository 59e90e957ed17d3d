"""What background work does about a full disk: it frees the space of dead rows, with the disk reserve if needed.

Other work waits for room. files/reserve.py has the reserve.
"""

import logging
from collections.abc import Callable

from storage.collection import Collection
from storage.errors import EngineError, StorageFull
from storage.files import DiskReserve
from storage.maintenance.task_process import TaskRun, run_task
from storage.segments import VACUUM_SHARE, TaskKind, Work
from storage.write import Place

log = logging.getLogger(__name__)


def give_back_room(collection: Collection, stopping: Callable[[], bool]) -> None:
    """After a write was refused for lack of room: fills pages anew, and lets vacuums take open blocks too.

    Only sealed blocks are vacuumed, and without room no write would ever fill an open block until it is sealed.
    """
    if not collection.unseen.take_refusal():
        return
    try:
        place = Place() if collection.unseen.take_deletion() else None
        while place is not None and not stopping():
            place = collection.unseen.repack(place)
        if collection.schema.auto_index:
            collection.unseen.seal_tails(dead_share=VACUUM_SHARE)
    except EngineError as error:  # the collection is closing, or there is no room even for this
        log.debug("giving back room of %r: %s", collection.name, error)


def run_with_reserve(run: TaskRun, reserve: DiskReserve) -> int:
    """Runs a task; returns the bytes that it gave back.

    If a vacuum finds no room, it is tried once more with the reserve, provided that its copy may fit there.
    """
    try:
        return run_task(run)
    except StorageFull:
        if run.work.kind is not TaskKind.VACUUM or _bytes_of(run.collection, run.work) > reserve.size:
            raise
        with reserve.lent(whole=True):
            return run_task(run)


def _bytes_of(collection: Collection, work: Work) -> int:
    """Bytes of the current rows in the blocks of `work`: the bytes that are copied."""
    return sum(
        4 * space.schema.size * (view.count - view.block.deaths)
        for space in collection.spaces().values()
        if space.schema.uid == work.space_uid
        for view in space.blocks
        if view.block.uid in work.blocks
    )
