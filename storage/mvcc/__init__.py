"""The state of an open collection at each commit, and the snapshot that pins a commit."""

from storage.mvcc.loading import close_core, create_core, open_core
from storage.mvcc.snapshot import Snapshot
from storage.mvcc.space_rows import VALUES_READ_AT_ONCE, RowsOf
from storage.mvcc.space_tokens import Tokens
from storage.mvcc.state import CollectionState, View

__all__ = [
    "VALUES_READ_AT_ONCE",
    "CollectionState",
    "RowsOf",
    "Snapshot",
    "Tokens",
    "View",
    "close_core",
    "create_core",
    "open_core",
]
