"""What scanning a row and widening a walk by one cost, over a stored collection: constants of storage/search/walk.py.

`python -m bench.crossover FOLDER` prints one line; it must run with one thread of mathematics, as a server does.
"""

import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from server.convert.payload import ProtobufPayloadCodec
from storage.budget import UNLIMITED
from storage.collection import Collection
from storage.database import Database
from storage.index.hnsw import Graph
from storage.schema import Distance
from storage.search.candidates import Candidates
from storage.search.scan import scan_block, scan_codes
from storage.segments.block import BlockView
from storage.segments.space import SpaceView
from storage.vectors.codes import CodedRows, code_rows

K = 10
ROUNDS = 7
QUERIES = 20
SHARE = 0.3
WIDTHS = (128, 1_024)


def main(folder: Path) -> None:
    """Prints nanoseconds per scanned row, coded and not, and per step of a walk, with their quotients."""
    database = Database.open(folder, codec=ProtobufPayloadCodec())
    try:
        collection = database.collection(database.names.collections()[0])
        [space] = _with_graphs(collection).values()
        block = max(space.blocks, key=lambda block: block.count)
        rows = np.random.default_rng(2).choice(block.count, QUERIES, replace=False)
        print(_line(block, space.schema.distance, block.vectors[rows]))
    finally:
        database.close()


def _with_graphs(collection: Collection) -> Mapping[str, SpaceView]:
    """The spaces once large graphs were verified, which happens in the background."""
    while not all(block.index for space in collection.spaces().values() for block in space.blocks if block.count):
        time.sleep(0.2)
    return collection.spaces()


def _line(block: BlockView, metric: Distance, queries: NDArray[np.float32]) -> str:
    graph = block.index
    assert isinstance(graph, Graph), "the graph serves"
    chosen = np.random.default_rng(1).choice(block.count, round(SHARE * block.count), replace=False)
    positions = np.sort(chosen).astype(np.int64)
    coded = [_coded(block, metric, positions)]

    def scan(codes: bool) -> None:
        for query in queries:
            pool = Candidates(metric, query, K)
            if codes:
                scan_codes([pool], block, coded, UNLIMITED)
            else:
                scan_block([pool], block, 0, positions, UNLIMITED)
            pool.scored()

    def walk(width: int) -> None:
        for query in queries:
            graph.search(query[None], width)

    scans, originals = _best(lambda: scan(True)), _best(lambda: scan(False))
    narrow, wide = (_best(lambda width=width: walk(width)) for width in WIDTHS)  # type: ignore[misc]
    step = (wide - narrow) / (WIDTHS[1] - WIDTHS[0]) / len(queries)
    row, original = (seconds / len(queries) / len(positions) for seconds in (scans, originals))
    return (
        f"{row * 1e9:.0f} ns a row coded, {original * 1e9:.0f} ns from originals, {step * 1e6:.2f} µs a step: "
        f"{step / row:,.0f} coded rows a step, {step / original:,.0f} originals."
    )


def _coded(block: BlockView, metric: Distance, positions: NDArray[np.int64]) -> CodedRows:
    coded = code_rows(metric, block.vectors, block.norms(), positions)
    assert coded is not None, "unit vectors have codes, and there are kernels"
    return coded


def _best(work: Callable[[], None]) -> float:
    work()
    times = []
    for _ in range(ROUNDS):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return min(times)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
