"""Batches of searches within a process against hnswlib: one thread, each at the width that it needs for a recall.

Ours walks such a graph as the server builds, with its codes, and scores what it finds exactly from the originals.
hnswlib has float32.
"""

import importlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.measure import Result, compare, own_processor
from bench.workload import EF_CONSTRUCT, Bench, M, exact_top, recall
from storage.index import Graph, GraphSearch, build
from storage.schema import Datatype, DenseSpace, HnswConfig

K = 10
ROUNDS = 7
RECALLS = (0.95, 0.99)
WIDTHS = (10, 12, 16, 20, 24, 32, 40, 48, 64, 80, 96, 128, 160, 192, 256, 320, 384, 512)

Rows = NDArray[np.float32]
Search = Callable[[Rows, int], list[set[int]]]


def inner(bench: Bench, folder: Path) -> Iterator[Result]:
    rows, queries = bench.data.definition, bench.data.queries[:300]
    truth = exact_top(rows, queries, K)
    ours, theirs = _ours(rows, folder / "inner.graph"), _hnswlib(rows)
    for wanted in RECALLS:
        width, other = (_width(search, queries, truth, wanted) for search in (ours, theirs))
        rounds = [
            (own_processor(partial(ours, queries, width)), own_processor(partial(theirs, queries, other)))
            for _ in range(ROUNDS)
        ]
        note = f"width {width} and {other}; one thread"
        yield compare(f"inner search at recall {wanted}", "hnswlib, float32", rounds, goal=0.5, note=note)


def _width(search: Search, queries: Rows, truth: list[set[int]], wanted: float) -> int:
    """The least width that reaches the recall, of those tried."""
    return next((each for each in WIDTHS if recall(search(queries, each), truth) >= wanted), WIDTHS[-1])


def _ours(rows: Rows, file: Path) -> Search:
    space = DenseSpace(size=rows.shape[1], datatype=Datatype.BFLOAT16, hnsw=HnswConfig(m=M, ef_construct=EF_CONSTRUCT))
    graph = Graph(space, file, build(space, rows, np.arange(len(rows)), file))
    if graph.may_have_codes:
        graph.write_codes(0, lambda: None)
        graph.read_codes(0, verify=False)

    def search(queries: Rows, width: int) -> list[set[int]]:
        walks = graph.find(GraphSearch(queries=queries, width=width, limit=K, nominated=width), rows, None)
        best = np.argsort(-walks.scores, axis=1, kind="stable")[:, :K]
        return [set(found) for found in np.take_along_axis(walks.positions, best, axis=1).tolist()]

    return search


def _hnswlib(rows: Rows) -> Search:
    module: Any = importlib.import_module("hnswlib")
    index = module.Index(space="cosine", dim=rows.shape[1])
    index.init_index(max_elements=len(rows), ef_construction=EF_CONSTRUCT, M=M)
    index.add_items(rows, np.arange(len(rows)))

    def search(queries: Rows, width: int) -> list[set[int]]:
        index.set_ef(width)
        return [set(found) for found in index.knn_query(queries, K, num_threads=1)[0].tolist()]

    return search
