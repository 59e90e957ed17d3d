"""Whole collections to a file and back: JSON Lines and Parquet."""

from headwater._files.transfer import AsyncTransfers, Transfers

__all__ = [
    "AsyncTransfers",
    "Transfers",
]
