"""The data directories that one test opens, so that none is left open and each is verified. Owns no test data."""

import shutil
from pathlib import Path

from server.convert.payload import ProtobufPayloadCodec
from storage.check import check
from storage.database import Database
from storage.settings import StorageSettings

CODEC = ProtobufPayloadCodec()
QUIET = StorageSettings(background=False, reopen_on_use=False)
"""No background work, and closed stays closed: what happens when is up to the test."""


class Directories:
    """Opens databases in folders under `root`. After `damage` a folder is not expected to be sound."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._open: list[Database] = []
        self._seen: set[Path] = set()
        self._damaged: set[Path] = set()

    def open(self, name: str = "data", settings: StorageSettings = QUIET) -> Database:
        path = self.root / name
        database = Database.open(path, codec=CODEC, settings=settings)
        self._open.append(database)
        self._seen.add(path)
        return database

    def crash(self, name: str, into: str) -> None:
        """Copies a folder that is open, between two commits: what a process killed now would leave behind."""
        shutil.copytree(self.root / name, self.root / into)

    def damage(self, name: str) -> Path:
        """The folder, which the caller is about to damage for good."""
        self._damaged.add(self.root / name)
        return self.root / name

    def close(self) -> None:
        while self._open:
            self._open.pop().close()

    def check(self) -> None:
        for path in sorted(self._seen - self._damaged):
            assert [str(problem) for problem in check(path).problems] == []
