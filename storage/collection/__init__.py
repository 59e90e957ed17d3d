"""One collection, with one object for its whole life: reads and writes, whether its files are open or not."""

from storage.collection.collection import Collection

__all__ = [
    "Collection",
]
