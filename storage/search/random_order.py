"""A random order that depends only on the seed and the ids. Slots do not count: equal points may have other slots
elsewhere."""

from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from storage.budget import Budget
from storage.tables import Reader

HASHED_AT_ONCE = 4_096
"""Ids hashed between two checks of the budget: a few milliseconds."""

Slots = NDArray[np.uint32]


def seeded_order(seed: int, slots: Slots, reader: Reader, budget: Budget) -> Slots:
    """`slots` (n,) sorted by a keyed hash of their ids. Requires: 0 <= seed < 2**64.

    Raises DeadlineExceeded or Cancelled. The hash has 64 bits, so equal hashes are not expected.
    """
    return slots[np.argsort(seeded_hashes(seed, slots, reader, budget), kind="stable")]


def seeded_hashes(seed: int, slots: Slots, reader: Reader, budget: Budget) -> NDArray[np.uint64]:
    """What `seeded_order` sorts by (n,)."""
    key = seed.to_bytes(8, "big")
    hashes = np.empty(len(slots), ">u8")
    for start in range(0, len(slots), HASHED_AT_ONCE):
        budget.check()
        part = slice(start, start + HASHED_AT_ONCE)
        digests = (blake2b(id_key, digest_size=8, key=key).digest() for id_key in reader.id_keys(slots[part]))
        hashes[part] = np.frombuffer(b"".join(digests), ">u8")
    return hashes
