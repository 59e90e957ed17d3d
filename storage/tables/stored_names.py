"""Reads names and uids from the catalog. It checks them, since the catalog's values have no checksum. Changes
nothing."""

import re

from storage.errors import CorruptStore
from storage.schema import MAX_NAME_BYTES

CATALOG_FILE = "catalog/data.mdb"
"""The file that errors name, relative to the data directory."""

_UID = re.compile(rb"[0-9a-f]{32}")


def name_from(value: bytes | memoryview) -> str:
    """A name. Raises CorruptStore."""
    stored = bytes(value)
    try:
        name = stored.decode()
    except UnicodeDecodeError:
        name = ""
    if not name or len(stored) > MAX_NAME_BYTES:
        raise CorruptStore(CATALOG_FILE, 0, "the name of a collection is not a valid name")
    return name


def uid_from(value: bytes | memoryview, name: str) -> str:
    """The uid of the collection `name`, which names its folder. Raises CorruptStore when it is not valid."""
    text = bytes(value)
    if not is_uid(text):
        raise CorruptStore(CATALOG_FILE, 0, f"the collection {name!r} has no valid uid")
    return text.decode()


def is_uid(text: bytes) -> bool:
    return _UID.fullmatch(text) is not None
