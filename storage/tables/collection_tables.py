"""What reading the tables of a collection takes, whatever the commit."""

from dataclasses import dataclass
from pathlib import Path

from storage.tables.codec import PayloadCodec
from storage.tables.environment import Tables


@dataclass(frozen=True, slots=True)
class CollectionTables:
    """The uid of a collection, the file that has its tables, their handles, and what decodes payloads."""

    uid: str
    file: Path
    handles: Tables
    codec: PayloadCodec
