"""A random order that depends on the seed and the ids alone: not on slots, which a compaction changes."""

from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from storage.reader import Reader

Slots = NDArray[np.uint32]


def sample_order(seed: int, slots: Slots, reader: Reader) -> Slots:
    """`slots` (n,) by a keyed hash of their ids. Requires: 0 <= seed < 2**64."""
    key = seed.to_bytes(8, "big")
    pairs = zip(reader.id_keys(slots), slots.tolist(), strict=True)
    ordered = sorted((blake2b(id_key, digest_size=8, key=key).digest(), id_key, slot) for id_key, slot in pairs)
    return np.array([slot for _, _, slot in ordered], np.uint32)
