"""The settings of storage. The code that reads them from people checks their bounds."""

import os
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageSettings:
    """How storage uses the machine.

    map_size: bytes of address space reserved per collection for ids and payloads. The file grows only as it fills.
    disk_reserve: bytes of the disk kept back so that deletes work when the disk is full; see files/reserve.py.
    max_pending_writes, max_pending_bytes: writes that may wait per collection before TooManyWrites is raised.
    reopen_on_use: the next use opens a closed collection. If false, uses are refused until it is opened.
    background: start background work as soon as it is due.
    parallel_tasks: background tasks that run at once. Each is a process on one core.
    max_open_collections: collections that are open at once; None: as many as descriptors and address space allow.
    max_build_memory: bytes that building one index may take. Larger builds are refused; None: no bound.
    """

    map_size: int = 64 * 2**30
    disk_reserve: int = 64 * 2**20
    max_pending_writes: int = 1024
    max_pending_bytes: int = 256 * 2**20
    reopen_on_use: bool = True
    background: bool = True
    parallel_tasks: int = max(1, (os.cpu_count() or 2) - 1)
    max_build_memory: int | None = None
    max_open_collections: int | None = None
