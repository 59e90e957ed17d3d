"""What a server does behind its requests: it watches its disk, and opens what was used last."""

from server.background.data_watch import DataWatch
from server.background.reopening import Reopening

__all__ = [
    "DataWatch",
    "Reopening",
]
