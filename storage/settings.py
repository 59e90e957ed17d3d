"""The settings of storage. The code that reads them from people checks their bounds."""

import os
from dataclasses import dataclass, field


def _processors() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageSettings:
    """How storage uses the machine.

    map_size: bytes of address space reserved per collection for ids and payloads; the file grows only as it fills.
    disk_reserve: bytes of the disk kept back so that deletes work when it is full; see files/reserve.py.
    max_pending_writes, max_pending_bytes: writes waiting per collection before TooManyWrites.
    reopen_on_use: a closed collection is opened by its next use; else it is refused until it is opened.
    background: do background work by itself, as it falls due.
    parallel_tasks: background tasks that run at once, each a process of low priority on one core.
    max_open_collections: collections that are open at once; None: as many as descriptors and address space allow.
    max_build_memory: bytes that building indexes may take. One that takes more is refused, and those that take more
        together run one after another. None: no bound.
    """

    map_size: int = 64 * 2**30
    disk_reserve: int = 64 * 2**20
    max_pending_writes: int = 1024
    max_pending_bytes: int = 256 * 2**20
    reopen_on_use: bool = True
    background: bool = True
    parallel_tasks: int = field(default_factory=_processors)
    max_build_memory: int | None = None
    max_open_collections: int | None = None
