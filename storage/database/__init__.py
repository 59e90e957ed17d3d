"""One data directory: its collections by name, made, opened and closed, and who is told of them."""

from storage.database.database import Database

__all__ = [
    "Database",
]
