"""Cuts a stream of points into batches by number and by bytes. Sends nothing."""

from collections.abc import Iterable, Iterator

from headwater._wire import point_message
from headwater.models import PointStruct
from headwater.v1 import common_pb2

BATCH_SIZE = 256
"""Points of a batch by default: large enough to share an fsync, small enough to show progress."""
MAX_BATCH_BYTES = 32 * 2**20
"""Half of what servers and proxies commonly accept in one message."""


def batches(
    points: Iterable[PointStruct], batch_size: int, max_bytes: int = MAX_BATCH_BYTES
) -> Iterator[list[common_pb2.PointStruct]]:
    """Yields batches in order, none of them empty. A point that alone is larger than `max_bytes` is a batch of its
    own."""
    if batch_size < 1:
        raise ValueError("batch_size must be at least 1")
    batch: list[common_pb2.PointStruct] = []
    batch_bytes = 0
    for position, point in enumerate(points):
        message = point_message(point, position)
        point_bytes = message.ByteSize()
        if batch and (len(batch) == batch_size or batch_bytes + point_bytes > max_bytes):
            yield batch
            batch, batch_bytes = [], 0
        batch.append(message)
        batch_bytes += point_bytes
    if batch:
        yield batch
