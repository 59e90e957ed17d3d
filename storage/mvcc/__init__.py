"""The state of an open collection by commit, and the snapshot that pins one."""

from storage.mvcc.snapshot import CHUNK_VALUES, RowsOf, Snapshot, Tokens
from storage.mvcc.state import Core, View

__all__ = [
    "CHUNK_VALUES",
    "Core",
    "RowsOf",
    "Snapshot",
    "Tokens",
    "View",
]
