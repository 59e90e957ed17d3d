"""Background work of a server: it checks that the disk can be written, and opens recently used collections."""

from server.background.data_watch import DataWatch
from server.background.reopening import Reopening

__all__ = [
    "DataWatch",
    "Reopening",
]
