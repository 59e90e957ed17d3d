"""Codes of the vectors of a graph: made once, kept if walks by them find what walks by the vectors find."""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from storage.index import Graph, GraphSearch
from storage.kernels import KernelFailed
from storage.schema import Datatype, DenseSpace, IndexFile
from storage.segments.block import SegmentIndex
from storage.segments.judge import LIMIT
from storage.segments.segment import open_index
from storage.vectors import Encoding

log = logging.getLogger(__name__)

GOOD_CODES = 0.995
"""The share of the best rows found by walks of the vectors that walks of the codes must find."""

QUERIES = 200

Rows = NDArray[np.float32]


def open_with_codes(
    space: DenseSpace, folder: Path, index: IndexFile, vectors: Rows, check: Callable[[], None]
) -> SegmentIndex | None:
    """As open_index, and a graph that lacks codes gets them. `vectors`: the rows of the block.

    Calls `check` now and then, which may raise.
    """
    opened = open_index(space, folder, index)
    if not isinstance(opened, Graph) or not opened.lacks_codes:
        return opened
    try:
        opened = _coded(space, folder, index, vectors, check) or opened
    except (OSError, KernelFailed) as error:
        log.warning("graph %s is walked without codes: %s", folder / index.name, error)
    opened.lacks_codes = False  # also when there was no room for them: until it is opened again
    return opened


def _coded(space: DenseSpace, folder: Path, index: IndexFile, vectors: Rows, check: Callable[[], None]) -> Graph | None:
    """Makes the codes of a graph. Returns the graph, which uses them if they are good."""
    path, encoding = folder / index.name, Encoding.of(index.scale, index.centre)
    plain, coded = (Graph(replace(space, datatype=Datatype(index.datatype)), path, encoding) for _ in range(2))
    plain.write_codes(index.checksum, check)
    coded.read_codes(index.checksum, verify=False)
    share = _share_found(space, plain, coded, vectors)
    if share >= GOOD_CODES:
        return coded
    log.info("graph %s is walked without codes: with them it would find %.3f of what it finds", path, share)
    plain.refuse_codes(index.checksum)
    return plain


def _share_found(space: DenseSpace, plain: Graph, coded: Graph, vectors: Rows) -> float:
    """The share of what walks of the vectors find that walks of the codes find. Equal scores count as the same row."""
    queries = _queries(vectors)
    width = max(space.hnsw.ef, LIMIT)
    search = GraphSearch(queries=queries, width=width, limit=LIMIT, nominated=width)
    best = [_best(space, graph, search, vectors) for graph in (plain, coded)]
    good = best[1] >= best[0][:, -1:] if space.distance.higher_is_better else best[1] <= best[0][:, -1:]
    return float(good.mean())


def _best(space: DenseSpace, graph: Graph, search: GraphSearch, vectors: Rows) -> NDArray[np.float64]:
    """The best scores of each walk, best first, (m, LIMIT)."""
    found = graph.find(search, vectors, None)
    sign = -1.0 if space.distance.higher_is_better else 1.0
    keys = np.where(np.arange(found.scores.shape[1]) < found.kept[:, None], sign * found.scores, np.inf)
    best: NDArray[np.float64] = sign * np.sort(keys, axis=1)[:, :LIMIT]
    return best


def _queries(vectors: Rows) -> Rows:
    """Rows, and vectors between two rows."""
    random = np.random.default_rng(1)
    chosen, others = random.integers(0, len(vectors), (2, QUERIES))
    rows = np.asarray(vectors[chosen], np.float64)
    share = np.where(np.arange(QUERIES) % 2, random.uniform(0.1, 0.5, QUERIES), 0.0)[:, None]
    between: Rows = (rows + share * (np.asarray(vectors[others], np.float64) - rows)).astype(np.float32)
    return between
