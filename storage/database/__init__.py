"""One data directory: its collections by name. Makes, opens and closes them, and tells followers."""

from storage.database.database import Database

__all__ = [
    "Database",
]
