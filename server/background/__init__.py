"""Background work of a server: it checks that the disk can be written and its owner lives, and opens collections.

It also tells systemd how far the server is.
"""

from server.background.data_watch import DataWatch
from server.background.owner_watch import OwnerWatch
from server.background.reopening import Reopening
from server.background.service_manager import tell_service_manager

__all__ = [
    "DataWatch",
    "OwnerWatch",
    "Reopening",
    "tell_service_manager",
]
