"""Settings of storage, validated by whoever reads them from people."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageSettings:
    """How storage uses the machine.

    map_size: bytes of address space reserved per collection for ids and payloads; the file grows only as it fills.
    max_pending_writes, max_pending_bytes: writes waiting per collection before TooManyWrites.
    background: build indexes in background processes.
    """

    map_size: int = 64 * 2**30
    max_pending_writes: int = 1024
    max_pending_bytes: int = 256 * 2**20
    background: bool = True
