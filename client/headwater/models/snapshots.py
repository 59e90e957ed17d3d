"""Snapshots: copies of a collection that the server keeps as files."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SnapshotInfo:
    """A snapshot. It is listed under the name `collection`; that collection may be deleted since.

    `seq` is the sequence number of the commit that it holds. `created` is the time when it was made (UTC).
    """

    name: str
    collection: str
    size_bytes: int
    seq: int
    created: datetime
