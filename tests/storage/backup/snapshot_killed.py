"""A copy of a collection that may be killed on its way: `python -m tests.storage.backup.snapshot_killed DIR WHAT`.

WHAT is `snapshot`, `restore` or `clone`. The failpoint that kills it is in the environment.
"""

import sys
from pathlib import Path

from server.convert.payload import ProtobufPayloadCodec
from storage.budget import UNLIMITED
from storage.database import Database
from storage.settings import StorageSettings


def main() -> None:
    database = Database.open(
        Path(sys.argv[1]), codec=ProtobufPayloadCodec(), settings=StorageSettings(background=False)
    )
    match sys.argv[2]:
        case "snapshot":
            database.snapshots.create(database.collection("source"), "second", UNLIMITED)
        case "restore":
            database.restore_snapshot("source", "first", "target", UNLIMITED)
        case "clone":
            database.clone_collection("source", "target", UNLIMITED)
    database.close()


if __name__ == "__main__":
    main()
