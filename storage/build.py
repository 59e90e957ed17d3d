"""The process that builds one graph: `python -m storage.build JOB`, positions on standard input. Run by indexer.py.

It runs at low priority on one thread and ends by itself when the process that started it is gone.
"""

import json
import os
import sys
from pathlib import Path

import numpy as np

from storage.index import build
from storage.schema import CollectionSchema

_LOWEST_PRIORITY = 19


def main() -> None:
    job = json.loads(sys.argv[1])
    os.nice(_LOWEST_PRIORITY)
    positions = np.frombuffer(sys.stdin.buffer.read(), "<i8")
    space = CollectionSchema.from_json(job["schema"]).spaces[""]
    try:
        vectors = np.memmap(job["vectors"], "<f4", mode="r", shape=(job["count"], space.size))
        build(space, vectors, positions, Path(job["out"]), lambda done: _check_parent(job["parent"]))
    except (OSError, RuntimeError):
        if Path(job["vectors"]).exists():
            raise
        sys.exit(1)  # the space was dropped meanwhile: nothing to tell


def _check_parent(parent: int) -> None:
    if os.getppid() != parent:
        sys.exit("the server is gone")


if __name__ == "__main__":
    main()
