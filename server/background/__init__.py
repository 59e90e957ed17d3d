"""Background work of a server: it checks that the disk can be written and its owner lives, and opens collections."""

from server.background.data_watch import DataWatch
from server.background.owner_watch import OwnerWatch
from server.background.reopening import Reopening

__all__ = [
    "DataWatch",
    "OwnerWatch",
    "Reopening",
]
