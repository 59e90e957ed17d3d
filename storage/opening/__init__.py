"""How many collections are open at once, and how a use opens one."""

from storage.opening.hold import Hold
from storage.opening.open_collections import OpenCollections, OpenCounts
from storage.opening.open_limit import most_open, raise_descriptor_limit
from storage.opening.open_on_use import Opened, OpenOnUse

__all__ = [
    "Hold",
    "OpenCollections",
    "OpenCounts",
    "OpenOnUse",
    "Opened",
    "most_open",
    "raise_descriptor_limit",
]
