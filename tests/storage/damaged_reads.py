"""Reads damaged copies of a data directory, each in a process of its own: `python -m tests.storage.damaged_reads DIR`.

Every line of standard input is a damage, as JSON: `file` (relative to DIR), and `flip` (byte offset, bit mask) or
`length` (to cut to; null: removed). For each it prints a line of JSON: what came back, or `{"signal": n}` when the
reader was killed. A process apart, since one that has threads must not fork, and a crash must not take the tests along.
"""

import json
import os
import shutil
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from storage.budget import UNLIMITED
from storage.check import check
from storage.collection import Collection
from storage.database import Database
from storage.errors import EngineError
from storage.mvcc.snapshot import Snapshot
from storage.schema import PointId
from storage.search.dense import SpaceSearch
from storage.search.snapshot_search import search_vectors
from tests.support.directories import CODEC, QUIET

Answer = dict[str, Any]
IDS: list[PointId] = [*range(130), "x" * 511, "x" * 510 + "y"]


def read_all(folder: Path) -> Answer:
    """All that a data directory gives: by collection its points and vectors by id, and searches; errors by name."""

    def read() -> Answer:
        database = Database.open(folder, codec=CODEC, settings=QUIET)
        answer: Answer = {
            "names": _try(database.names.collections),
            "aliases": _try(lambda: [[alias.name, alias.collection] for alias in database.names.aliases()]),
            "collections": {},
        }
        for name in ("c", "d"):
            answer["collections"][name] = _try(lambda name=name: _read_collection(database.collection(name)))  # type: ignore[misc]
        database.close()
        return answer

    found = _try(lambda: [[str(p.file.relative_to(folder)), p.derived] for p in check(folder).problems])
    return {"check": found, "read": _try(read)}


def _try(what: Callable[[], Any]) -> Any:
    try:
        return what()
    except EngineError as error:
        return {"error": type(error).__name__, **error.metadata, "message": error.message}


def _read_collection(collection: Collection) -> Answer:
    def read(what: Callable[[Snapshot], Any]) -> Any:
        def pinned() -> Any:
            with collection.snapshot() as snapshot:
                return what(snapshot)

        return _try(pinned)

    return {
        "scan": read(lambda snapshot: [[record.id, CODEC.decode(record.payload)] for record in snapshot.scan()]),
        "payloads": read(lambda snapshot: len(list(snapshot.payloads()))),
        "points": [read(lambda snapshot, key=key: _read_point(snapshot, key)) for key in IDS],  # type: ignore[misc]
        "exact": read(lambda snapshot: _search(snapshot, exact=True)),
        "hnsw": read(lambda snapshot: _search(snapshot, exact=False)),
    }


def _read_point(snapshot: Snapshot, point_id: PointId) -> Any:
    """Id, payload and vectors of a point; None when there is none."""
    slots = snapshot.slots_of([point_id])
    if slots[0] < 0:
        return None
    record = snapshot.record(int(slots[0]))
    vectors = {}
    for space in snapshot.schema.dense:
        present, rows = snapshot.vectors(space, slots.astype(np.uint32))
        vectors[space] = rows[0].tolist() if present[0] else None
    return [record.id, CODEC.decode(record.payload), vectors]


def _search(snapshot: Snapshot, *, exact: bool) -> Any:
    answers = []
    for space, schema in sorted(snapshot.schema.dense.items()):
        search = SpaceSearch(space=space, vector=np.ones(schema.size, np.float32), limit=200, exact=exact)
        (hits,) = search_vectors(snapshot, [search], UNLIMITED)
        answers.append([snapshot.point_ids(hits.slots), hits.scores.tolist()])
    return answers


def _damage(folder: Path, damage: Answer) -> None:
    if damage.get("unseal"):
        for seal in folder.rglob("*.seal"):
            seal.unlink()
    path = folder / damage["file"]
    if "flip" in damage:
        offset, mask = damage["flip"]
        with path.open("r+b") as file:
            file.seek(offset)
            byte = file.read(1)[0]
            file.seek(offset)
            file.write(bytes([byte ^ mask]))
    elif damage["length"] is None:
        path.unlink()
    else:
        os.truncate(path, damage["length"])


def _in_a_child(folder: Path) -> Answer:
    """What `read_all` says in a process that may die."""
    result = folder.with_suffix(".json")
    child = os.fork()
    if child == 0:
        code = 1
        try:
            result.write_text(json.dumps(read_all(folder)))
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return {"signal": os.WTERMSIG(status)}
    if os.WEXITSTATUS(status):
        return {"exit": os.WEXITSTATUS(status)}
    answer: Answer = json.loads(result.read_text())
    return answer


def main() -> None:
    source = Path(sys.argv[1])
    with tempfile.TemporaryDirectory(dir=source.parent) as root:
        for number, line in enumerate(sys.stdin):
            folder = Path(root) / str(number)
            shutil.copytree(source, folder)
            _damage(folder, json.loads(line))
            print(json.dumps(_in_a_child(folder)), flush=True)
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
