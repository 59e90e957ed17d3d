"""HNSW graphs: building and searching them. The only file that imports usearch.

A graph is derived data: keys are positions in its block, vectors a smaller stored form. It finds candidates; scores
come from the originals. It is built once, by one thread (concurrent `add` strands vectors), and never changed.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from usearch.index import Index

from storage.schema import Datatype, Distance, SpaceSchema

_METRICS = {Distance.COSINE: "cos", Distance.DOT: "ip", Distance.EUCLID: "l2sq"}
_DTYPES = {Datatype.FLOAT32: "f32", Datatype.BFLOAT16: "bf16", Datatype.FLOAT16: "f16"}
_BUILD_CHUNK = 1024  # vectors added between two reports of progress


def has_kernel(distance: Distance) -> bool:
    """Whether a graph can serve the metric; others are scanned."""
    return distance in _METRICS


def _new_index(space: SpaceSchema) -> Index:
    return Index(
        ndim=space.size,
        metric=_METRICS[space.distance],
        dtype=_DTYPES[space.datatype],
        connectivity=space.hnsw.m,
        expansion_add=space.hnsw.ef_construct,
        expansion_search=1,  # the width of a search is its count, see Graph.search
        enable_key_lookups=False,
    )


def build(
    space: SpaceSchema,
    vectors: NDArray[np.float32],
    positions: NDArray[np.int64],
    path: Path,
    progress: Callable[[int], None] = lambda done: None,
) -> None:
    """Builds the graph of `vectors[positions]` (n, size) with keys `positions` and saves it to `path`, not synced."""
    index = _new_index(space)
    for start in range(0, len(positions), _BUILD_CHUNK):
        chunk = positions[start : start + _BUILD_CHUNK]
        index.add(chunk.astype(np.uint64), np.ascontiguousarray(vectors[chunk]), threads=1)
        progress(start + len(chunk))
    index.save(str(path))


class Graph:
    """A saved graph, mapped read-only. Searches of one graph run one after another inside usearch."""

    def __init__(self, space: SpaceSchema, path: Path) -> None:
        """Requires: `path` has been verified by its checksum; usearch does not survive damaged files."""
        self._index = _new_index(space)
        self._index.view(str(path))
        self.size = len(self._index)

    def search(
        self, queries: NDArray[np.float32], width: int
    ) -> tuple[NDArray[np.uint64], NDArray[np.integer[Any]], int]:
        """About the `width` nearest positions of each of `queries` (m, size), nearest first, as (m, width); how many
        of each row are valid, (m,); and the distances computed in all.

        The walk is as wide as its count: usearch uses the larger of count and `expansion_search`, and the latter is
        shared by all callers.
        """
        keys, _, counts, _, computed = self._index._compiled.search_many(queries, min(width, self.size), False, 1)
        return keys, counts, int(computed)
