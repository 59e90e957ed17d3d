"""Cuts the shipped sample out of the whole embedded WordNet. Run by hand; the demo and its tests only read the result.

Usage: python -m examples.data.wordnet.make_sample SOURCE [--rows 2000]
SOURCE is a folder with the files that README.md beside this script describes, for all of WordNet. Its rows are
shuffled, so a prefix is a fair sample. Only those queries are kept whose answer is in the sample.
"""

import argparse
import gzip
import json
from pathlib import Path

import numpy as np

from examples.datasets import Row, read_rows

HERE = Path(__file__).parent


def write_rows(path: Path, rows: list[Row]) -> None:
    """The objects as gzipped JSON lines. No file name and no time in the header, so equal rows give equal bytes."""
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))


def make_sample(source: Path, target: Path, rows: int) -> None:
    """Writes the first `rows` points, their vectors, and the queries they answer."""
    for space in ("definition", "lemmas"):
        np.save(target / f"{space}.f16.npy", np.load(source / f"{space}.f16.npy", mmap_mode="r")[:rows])
    write_rows(target / "points.jsonl.gz", read_rows(source / "points.jsonl.gz")[:rows])

    queries = read_rows(source / "queries.jsonl.gz")
    kept = [number for number, query in enumerate(queries) if query["relevant_id"] < rows]
    np.save(target / "queries.f16.npy", np.load(source / "queries.f16.npy")[kept])
    write_rows(target / "queries.jsonl.gz", [queries[number] for number in kept])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("--rows", type=int, default=2000)
    arguments = parser.parse_args()
    make_sample(arguments.source, HERE, arguments.rows)
