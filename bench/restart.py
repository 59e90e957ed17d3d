"""The first query after a restart against later ones: `python -m bench.restart [--data DIR] [--rows N]`.

One collection has all kinds of derived indexes. The server is stopped and started again, and each kind of query is
asked first of a new process: as soon as it is ready, and some seconds later; after SIGTERM, and after SIGKILL.
"""

import argparse
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bench import data
from bench.measure import wall
from headwater import (
    Bm25,
    Client,
    Equal,
    Filter,
    MultiVectorParams,
    PointStruct,
    SparseVector,
    SparseVectorParams,
    TextIndexParams,
    VectorParams,
)
from tests.support.server_process import doomed_server

NAME = "restart"
SIZE = 32
LATER = 15
GOAL = 3.0
PAUSES = (0.0, 2.0)
"""Seconds from readiness to the first query."""

Query = Callable[[Client, int], object]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.restart", description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="a folder with files as in examples/data/wordnet; default: synthetic")
    parser.add_argument("--rows", type=int, default=120_000, help="rows; data of fewer are repeated with other texts")
    parser.add_argument("--rounds", type=int, default=3, help="restarts of each kind, of which the median counts")
    options = parser.parse_args()
    world = World(data.load(options.data), options.rows)
    with tempfile.TemporaryDirectory(prefix="headwater-bench-") as name:
        folder = Path(name) / "data"
        with doomed_server(folder) as (process, address), Client(address, timeout=600) as client:
            world.load(client)
            for kind, query in world.queries().items():
                print(f"{kind}: first ever {1000 * wall(partial(query, client, 0)):.0f} ms", file=sys.stderr)
            time.sleep(5)
            end(process, signal.SIGTERM)
        size = sum(path.stat().st_size for path in folder.glob("collections/*/derived/*"))
        print(f"{world.rows:,} rows; derived files: {size:,} bytes\n")
        print("| query | stopped by | first asked | first, ms | later, ms | ratio |\n|---|---|---|--:|--:|--:|")
        for kind, query in world.queries().items():
            for number in (signal.SIGTERM, signal.SIGKILL):
                for pause in PAUSES:
                    rounds = [restart(folder, query, number, pause) for _ in range(options.rounds)]
                    print(row(kind, number, pause, rounds), flush=True)


def restart(folder: Path, query: Query, number: signal.Signals, pause: float) -> tuple[float, float]:
    """Seconds of the first query of a new process, and of later ones, which it then ends by the signal."""
    with doomed_server(folder) as (process, address), Client(address, timeout=600) as client:
        client.collections.list()  # the connection is made
        time.sleep(pause)
        first = wall(partial(query, client, 0))
        later = statistics.median(wall(partial(query, client, each)) for each in range(1, LATER + 1))
        end(process, number)
    return first, later


def row(kind: str, number: signal.Signals, pause: float, rounds: list[tuple[float, float]]) -> str:
    first, later = sorted(rounds, key=lambda pair: pair[0] / pair[1])[len(rounds) // 2]
    mark = "" if first / later <= GOAL else " **missed**"
    when = f"{pause:.0f} s after readiness" if pause else "at once"
    return f"| {kind} | {number.name} | {when} | {1000 * first:.1f} | {1000 * later:.2f} | {first / later:.1f}{mark} |"


def end(process: "subprocess.Popen[str]", number: signal.Signals) -> None:
    process.send_signal(number)
    process.wait(60)


class World:
    """What is loaded, and the queries: number n of a kind is never asked before."""

    def __init__(self, dataset: data.Dataset, rows: int) -> None:
        known = len(dataset.definition)
        self.rows = rows
        self.vectors = np.ascontiguousarray(dataset.definition[np.arange(rows) % known, :SIZE])
        texts = [
            str(payload.get("definition", "")) or words
            for payload, words in zip(dataset.payloads, _texts(known), strict=True)
        ]
        self.payloads = [
            {
                **dataset.payloads[row % known],
                "definition": texts[row % known] + (f" {texts[row * 7 % known]}" if row >= known else ""),
                "synset": f"{dataset.payloads[row % known].get('synset', row % known)} {row // known}",
            }
            for row in range(rows)
        ]

    def load(self, client: Client) -> None:
        client.collections.create(
            NAME,
            vectors_config={
                "dense": VectorParams(size=SIZE),
                "multi": VectorParams(SIZE, multivector_config=MultiVectorParams()),
            },
            sparse_vectors={"sparse": SparseVectorParams()},
            text_indexes={"definition": TextIndexParams(language="english", stemming=True)},
            optimizers_config={"indexing_threshold": self.rows + 1},
        )
        client.points.create_field_index(NAME, "synset", "keyword")
        client.points.create_field_index(NAME, "rank", "integer")
        client.upload_points(NAME, self._points(), batch_size=512)

    def _points(self) -> Iterator[PointStruct]:
        random = np.random.default_rng(1)
        for number in range(self.rows):
            indices = np.unique((random.pareto(1.0, 20) * 30).astype(np.int64) % 30_000).tolist()
            vector: dict[str, Any] = {
                "dense": self.vectors[number],
                "sparse": SparseVector(indices, [1.0] * len(indices)),
            }
            if number % 20 == 0:
                vector["multi"] = self.vectors[[number, (number + 1) % self.rows]]
            yield PointStruct(id=number, vector=vector, payload=self.payloads[number])

    def queries(self) -> dict[str, Query]:
        def words(number: int) -> str:
            return " ".join(str(self.payloads[number * 31]["definition"]).split()[:3])

        def sparse(number: int) -> SparseVector:
            return SparseVector([0, 10 + number, 40 + number], [1.0, 0.5, 0.3])

        def declared(client: Client, number: int) -> object:
            synset = str(self.payloads[number * 17]["synset"])
            return client.points.count(NAME, filter=Filter(must=(Equal("synset", synset),)))

        return {
            "BM25": lambda client, number: client.points.query(NAME, query=Bm25(words(number))),
            "sparse": lambda client, number: client.points.query(NAME, query=sparse(number), using="sparse"),
            "declared field": declared,
            "multi-vector": lambda client, number: client.points.query(
                NAME, query=self.vectors[[number, number + 5]], using="multi"
            ),
            "plain search": lambda client, number: client.points.query(NAME, query=self.vectors[number], using="dense"),
        }


def _texts(count: int) -> list[str]:
    """Of twelve words each, few of which are frequent."""
    chosen = (np.random.default_rng(5).pareto(1.0, (count, 12)) * 20).astype(np.int64) % 20_000
    return [" ".join(f"word{number}" for number in row) for row in chosen.tolist()]


if __name__ == "__main__":
    main()
