"""Snapshots: copies of a collection that the server keeps as files."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SnapshotInfo:
    """A snapshot. `collection` is what it is listed under, which may be gone; `seq` the commit that it holds; `created`
    when it was taken (UTC)."""

    name: str
    collection: str
    size_bytes: int
    seq: int
    created: datetime
