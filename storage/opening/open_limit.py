"""How many collections may be open at once, given the limits of the process. Opens nothing."""

import resource

DESCRIPTORS_EACH = 4
"""Descriptors of an open collection: LMDB keeps three, and one more is for files that are opened for a moment."""

MAPPED_ADDRESSES = 2**46
"""Bytes of addresses that all maps may take: half of what a process has on 64-bit Linux."""

LEAST = 4
"""Collections that may be open whatever the limits of the system."""

WANTED_DESCRIPTORS = 16_384
"""Descriptors that the server asks the system for, if it has fewer."""

_KEPT_SHARE = 4  # 1/4 of the descriptors is for connections, builds, archives and logs
_KEPT_LEAST = 64


def most_open(map_size: int) -> int:
    """Collections that may be open at once, each with a map of `map_size` bytes."""
    return max(LEAST, min(_by_descriptors(), _by_addresses(map_size)))


def raise_descriptor_limit() -> None:
    """Raises the limit of descriptors to WANTED_DESCRIPTORS, or as far as the system allows."""
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
