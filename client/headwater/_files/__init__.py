"""Writes whole collections to files and reads them back: JSON Lines and Parquet."""

from headwater._files.transfer import AsyncTransfers, Transfers

__all__ = [
    "AsyncTransfers",
    "Transfers",
]
