"""One collection, for as long as there is one: what is read and written, whether its files are open or not."""

from storage.collection.collection import Collection

__all__ = [
    "Collection",
]
