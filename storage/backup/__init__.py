"""Archives: copies of a collection as of one commit, one file each. Users call them snapshots."""

from storage.backup.archive import verify_archive
from storage.backup.archives import Snapshots, snapshot_path
from storage.backup.streams import copy_collection

__all__ = [
    "Snapshots",
    "copy_collection",
    "snapshot_path",
    "verify_archive",
]
