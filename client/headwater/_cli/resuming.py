"""Where an import stands, in a file in the user's cache folder, so that the same command goes on after a stop.

Points are upserted, so that a batch that was sent and not noted is only written again.
"""

import contextlib
import hashlib
import json
import os
from pathlib import Path


class Standing:
    """How many items of `source` were imported into `collection` of `server`. Another or changed file starts anew."""

    def __init__(self, server: str, collection: str, source: Path) -> None:
        about = source.stat()
        self._key = [server, collection, str(source.resolve()), about.st_size, about.st_mtime_ns]
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        name = hashlib.sha256(json.dumps(self._key[:3]).encode()).hexdigest()[:32]
        self._file = folder / "headwater" / "imports" / f"{name}.json"

    @property
    def done(self) -> int:
        """Items that are imported."""
        try:
            noted = json.loads(self._file.read_text())
            return int(noted["done"]) if noted["key"] == self._key else 0
        except (OSError, ValueError, KeyError, TypeError):
            return 0

    def note(self, done: int) -> None:
        """Writes down that so many items are imported. If it cannot be written, an import starts from its begin."""
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            part = self._file.with_suffix(f".{os.getpid()}")
            part.write_text(json.dumps({"key": self._key, "done": done}))
            part.replace(self._file)

    def end(self) -> None:
        """Says that all is imported."""
        with contextlib.suppress(OSError):
            self._file.unlink()
