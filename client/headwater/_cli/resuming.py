"""Where an import stands, in a file in the user's cache folder, so that the same command goes on after a stop.

Points are upserted, so that a batch that was sent and not noted is only written again. The count of the collection
would not do: files may have an id twice, and collections other points.
"""

import contextlib
import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headwater._cli.sources import Reading

if TYPE_CHECKING:
    from headwater import Client


class Standing:
    """How many items of `source` were imported into `collection` of `server`.

    Another or changed file starts anew, and so does another way to read it, or a collection that was made again.
    """

    def __init__(self, server: str, collection: str, source: Path, reading: Reading) -> None:
        about = source.stat()
        self._collection = collection
        self._key = [server, collection, str(source.resolve()), about.st_size, about.st_mtime_ns, _told(reading)]
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        name = hashlib.sha256(json.dumps(self._key[:3]).encode()).hexdigest()[:32]
        self._file = folder / "headwater" / "imports" / f"{name}.json"

    def done(self, client: "Client") -> int:
        """Items that are imported: 0 unless the last of them is in the collection. Raises HeadwaterError."""
        try:
            noted = json.loads(self._file.read_text())
            done, last = int(noted["done"]), noted["last"]
            if noted["key"] != self._key or not isinstance(last, int | str):
                return 0
        except (OSError, ValueError, KeyError, TypeError):
            return 0
        return done if client.points.get(self._collection, [last], with_payload=False) else 0

    def note(self, done: int, last: Any) -> None:
        """Writes down that so many items are imported, and the id of the last point of them.

        If it cannot be written, an import starts from its begin.
        """
        with contextlib.suppress(OSError, TypeError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            part = self._file.with_suffix(f".{os.getpid()}")
            part.write_text(json.dumps({"key": self._key, "done": done, "last": last}))
            part.replace(self._file)

    def end(self) -> None:
        """Says that all is imported."""
        with contextlib.suppress(OSError):
            self._file.unlink()


def _told(reading: Reading) -> list[Any]:
    """How the file is read, as JSON."""
    columns = [list(each) for each in sorted(reading.vector_columns.items())]
    return [reading.id_column, columns, sorted(reading.text_columns), reading.first_id, reading.space]
