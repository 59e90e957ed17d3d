"""Files that are durable, private and complete, and reserved disk space. Knows nothing of their contents."""

from storage.files.access import FILE_MODE, FOLDER_MODE, keep_private, tighten, tighten_folder
from storage.files.arrays import create, open_arrays
from storage.files.directory import check_directory, is_data_directory, mark_directory
from storage.files.durable import (
    NO_ROOM,
    SYSTEM_LIMITS,
    FolderLock,
    failure,
    make_folder,
    plain_path,
    publish,
    sync_file,
    sync_folder,
)
from storage.files.failpoints import failpoint
from storage.files.identity import Identity, check_writable
from storage.files.last_use import last_used, note_use
from storage.files.leftovers import Leftovers
from storage.files.mapping import map_bytes, map_rows
from storage.files.reserve import DiskReserve, check_room, map_reserve, mapped_bytes, used_and_free
from storage.files.seal import check_seal, remove_seal, write_seal
from storage.files.standard_output import escape_what_cannot_be_encoded
from storage.files.told_paths import hide_folder, told

__all__ = [
    "FILE_MODE",
    "FOLDER_MODE",
    "NO_ROOM",
    "SYSTEM_LIMITS",
    "DiskReserve",
    "FolderLock",
    "Identity",
    "Leftovers",
    "check_directory",
    "check_room",
    "check_seal",
    "check_writable",
    "create",
    "escape_what_cannot_be_encoded",
    "failpoint",
    "failure",
    "hide_folder",
    "is_data_directory",
    "keep_private",
    "last_used",
    "make_folder",
    "map_bytes",
    "map_reserve",
    "map_rows",
    "mapped_bytes",
    "mark_directory",
    "note_use",
    "open_arrays",
    "plain_path",
    "publish",
    "remove_seal",
    "sync_file",
    "sync_folder",
    "tighten",
    "tighten_folder",
    "told",
    "used_and_free",
    "write_seal",
]
