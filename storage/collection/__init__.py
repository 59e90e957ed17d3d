"""One collection, with one object for its whole life: reads and writes, whether its files are open or not."""

from storage.collection.collection import Collection
from storage.collection.sizes import CollectionSize

__all__ = [
    "Collection",
    "CollectionSize",
]
