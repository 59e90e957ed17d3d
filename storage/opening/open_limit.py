"""How many collections may be open at once, from what the system gives a process. Opens nothing."""

import resource

DESCRIPTORS_EACH = 4
"""Descriptors that an open collection takes: LMDB keeps three, and one is for what it opens now and then."""

MAPPED_ADDRESSES = 2**46
"""Bytes of addresses that maps may take in all: half of what a process has on 64-bit Linux."""

LEAST = 4
"""Collections that may be open whatever the limits are."""

WANTED_DESCRIPTORS = 16_384
"""Descriptors that the server asks the system for, where it may have more than it has."""

_KEPT_SHARE = 4  # one descriptor in so many is kept for connections, builds, snapshots and logs
_KEPT_LEAST = 64


def most_open(map_size: int) -> int:
    """Collections that may be open at once, each with a map of `map_size` bytes."""
    return max(LEAST, min(_by_descriptors(), _by_addresses(map_size)))


def raise_descriptor_limit() -> None:
    """Takes as many descriptors as are wanted, within what the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, WANTED_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _by_descriptors() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        soft = WANTED_DESCRIPTORS
    return (soft - max(_KEPT_LEAST, soft // _KEPT_SHARE)) // DESCRIPTORS_EACH


def _by_addresses(map_size: int) -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    room = MAPPED_ADDRESSES if soft == resource.RLIM_INFINITY else min(MAPPED_ADDRESSES, soft // 2)
    return room // map_size
