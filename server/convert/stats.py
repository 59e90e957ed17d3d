"""Statistics: storage types -> messages."""

from headwater.v1 import vde_pb2 as wire
from storage.stats import CollectionStats, SpaceStats

SUMMED = ("vectors", "indexed_vectors", "tail_vectors", "deleted_vectors", "segments", "disk_bytes", "mapped_bytes")


def stats_response(stats: CollectionStats) -> wire.VDEGetStatsResponse:
    """Counts and sizes, in all and by space."""
    total = {name: sum(getattr(space, name) for space in stats.spaces.values()) for name in SUMMED}
    return wire.VDEGetStatsResponse(
        points=stats.points,
        total=wire.SpaceStats(**total),
        spaces={name: _space_stats(space) for name, space in stats.spaces.items()},
        payload_disk_bytes=stats.payload_disk_bytes,
        seq=stats.seq,
    )


def _space_stats(space: SpaceStats) -> wire.SpaceStats:
    numbers = {name: getattr(space, name) for name in SUMMED}
    return wire.SpaceStats(**numbers, index=space.index, datatype=space.datatype)
