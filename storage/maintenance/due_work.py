"""Finds the work that is due on a collection by policy, most urgent first. Starts nothing."""

from collections.abc import Iterator
from dataclasses import dataclass

from storage.collection import Collection
from storage.maintenance.attempts import WorkKey
from storage.maintenance.estimate import memory_of, most_rows
from storage.maintenance.job_queue import Blocks
from storage.segments import MAX_SEGMENT_ROWS, due, is_verification, seal_threshold


@dataclass(frozen=True, slots=True)
class DueWork:
    """Work on the space of this name, and the bytes that it takes, as estimated."""

    space: str
    key: WorkKey
    memory: int


def due_works(collection: Collection, busy: Blocks, *, everything: bool, max_memory: int | None) -> Iterator[DueWork]:
    """The work that is due on blocks that are not `busy`, for indexes that need at most `max_memory` bytes to build.

    `everything` False: only the verification of indexes, which does not wait for a user's request.
    """
    for name, space in collection.spaces().items():
        blocked = {block for uid, block in busy if uid == space.schema.uid}
        most = MAX_SEGMENT_ROWS if max_memory is None else most_rows(space, max_memory, MAX_SEGMENT_ROWS)
        for work in due(space, seal_threshold(collection.schema, space.schema), blocked, most):
            if everything or is_verification(space, work):
                memory = 0 if is_verification(space, work) else memory_of(space, work.blocks)
                yield DueWork(name, WorkKey(collection.uid, work, space.schema, space.manifest.partition), memory)
