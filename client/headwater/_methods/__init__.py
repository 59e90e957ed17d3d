"""The methods of a client, one file for each group. Each makes a request, sends it and converts the answer to a
model."""

from headwater._methods.batches import BATCH_SIZE
from headwater._methods.collections import AsyncCollections, Collections
from headwater._methods.indexes import AsyncIndexes, Indexes
from headwater._methods.keys import AsyncKeys, Keys
from headwater._methods.points import AsyncPoints, Points
from headwater._methods.progress import Progress, progress_of
from headwater._methods.records import AsyncRecords, Records
from headwater._methods.vde import VDE, AsyncVDE

__all__ = [
    "BATCH_SIZE",
    "VDE",
    "AsyncCollections",
    "AsyncIndexes",
    "AsyncKeys",
    "AsyncPoints",
    "AsyncRecords",
    "AsyncVDE",
    "Collections",
    "Indexes",
    "Keys",
    "Points",
    "Progress",
    "Records",
    "progress_of",
]
