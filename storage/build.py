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
    vectors = np.memmap(job["vectors"], "<f4", mode="r", shape=(job["count"], space.size))

    def check_parent(done: int) -> None:
        if os.getppid() != job["parent"]:
            sys.exit("the server is gone")

    build(space, vectors, positions, Path(job["out"]), check_parent)


if __name__ == "__main__":
    main()
