"""HNSW graphs: building and searching them. The only file that imports usearch.

A graph is derived data: keys are positions in its block, vectors a smaller stored form. It finds candidates; scores
come from the originals. It is built once, by one thread (concurrent `add` strands vectors), and never changed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from usearch.index import Index

from storage.files import plain_path
from storage.schema import Datatype, Distance, HnswConfig, SpaceSchema
from storage.stored_form import encode_queries, encode_rows, scale_of

MIN_FOUND = 0.99
"""Share of a sample of its own rows that a new graph must find."""

_METRICS = {
    Distance.COSINE: "cos",
    Distance.DOT: "ip",
    Distance.EUCLID: "l2sq",
    Distance.HAMMING: "hamming",
    Distance.JACCARD: "tanimoto",  # the same on bits
}
_DTYPES = {
    Datatype.FLOAT32: "f32",
    Datatype.BFLOAT16: "bf16",
    Datatype.FLOAT16: "f16",
    Datatype.INT8: "i8",
    Datatype.BINARY: "b1",
}
_BUILD_CHUNK = 1024  # vectors added between two reports of progress
_SAMPLE = 200  # rows that are searched in a new graph
_PAGE = 10  # what a search asks for, mostly
_COSINE_ROUNDING = 1e-6  # how far a vector may seem to be from itself
_DOT_ROUNDING = 1e-2  # by what share of it the product of a vector with itself may be off


@dataclass(frozen=True, slots=True)
class Built:
    """A graph that was built. `scale`: see scale_of; `found`: share of a sample of its rows that it finds."""

    scale: float
    found: float


def has_kernel(distance: Distance) -> bool:
    """Whether a graph can serve the metric; others are scanned."""
    return distance in _METRICS


def _new_index(space: SpaceSchema) -> Index:
    return Index(
        ndim=space.size,
        metric=_metric_of(space),
        dtype=_DTYPES[space.datatype],
        connectivity=space.hnsw.m,
        expansion_add=space.hnsw.ef_construct,
        expansion_search=1,  # the width of a search is its count, see Graph.search
        enable_key_lookups=False,
    )


def _metric_of(space: SpaceSchema) -> str:
    """What the graph compares by: signs by Hamming, whatever the metric of the space."""
    if space.datatype is Datatype.BINARY and not space.distance.is_binary:
        return _METRICS[Distance.HAMMING]
    return _METRICS[space.distance]


def build(
    space: SpaceSchema,
    vectors: NDArray[np.float32],
    positions: NDArray[np.int64],
    path: Path,
    progress: Callable[[int], None] = lambda done: None,
    attempt: int = 0,
) -> Built:
    """Builds the graph of `vectors[positions]` (n, size) with keys `positions` and saves it to `path`, not synced.

    The same input makes the same graph, so an `attempt` after the first adds the vectors in another order.
    """
    scale = scale_of(space.distance, space.datatype, vectors, positions)
    index = _new_index(space)
    order = positions if attempt == 0 else np.random.default_rng(attempt).permutation(positions)
    for start in range(0, len(order), _BUILD_CHUNK):
        chunk = order[start : start + _BUILD_CHUNK]
        rows = encode_rows(space.distance, space.datatype, scale, vectors[chunk])
        index.add(chunk.astype(np.uint64), rows, threads=1)
        progress(start + len(chunk))
    found = _share_found(index, space, scale, vectors, positions)
    with plain_path(path) as text:
        index.save(text)
    return Built(scale, found)


def _share_found(
    index: Index, space: SpaceSchema, scale: float, vectors: NDArray[np.float32], positions: NDArray[np.int64]
) -> float:
    """Share of a sample of the rows that a walk finds, by their own stored vector. It is as wide as walks are by
    default, also where the space has less: this looks for rows that no walk reaches.

    A row counts as found, too, when another with the same stored vector comes in its place. Under Dot a short row is
    far from itself, and graphs lead to long ones; there it is enough that the first `_PAGE` are at least as near.
    """
    if len(positions) == 0:
        return 1.0
    sample = np.sort(np.random.default_rng(0).permutation(positions)[:_SAMPLE])
    rows = encode_rows(space.distance, space.datatype, scale, vectors[sample])
    width = min(max(space.hnsw.ef, HnswConfig().ef), len(positions))
    keys, distances, counts, _, _ = index._compiled.search_many(rows, width, False, 1)
    found = (keys == sample[:, None].astype(np.uint64)) & (np.arange(width) < counts[:, None])
    if _metric_of(space) == _METRICS[Distance.DOT]:
        own = np.square(rows.astype(np.float64)).sum(axis=1)
        last = min(_PAGE, width) - 1
        stand_in = (counts > last) & (distances[:, last] <= 1 - own * (1 - _DOT_ROUNDING))
    else:
        apart = _COSINE_ROUNDING if space.distance is Distance.COSINE else 0.0
        stand_in = (counts > 0) & (distances[:, 0] <= apart)
    return float(np.mean(found.any(axis=1) | stand_in))


class Graph:
    """A saved graph, mapped read-only. Searches of one graph run one after another inside usearch."""

    def __init__(self, space: SpaceSchema, path: Path, scale: float = 1.0) -> None:
        """`space` has the stored form that the graph was built with, `scale` is what the build returned.

        Requires: `path` has been verified by its checksum; usearch does not survive damaged files.
        """
        self._index = _new_index(space)
        with plain_path(path) as text:
            self._index.view(text)
        if self._index.ndim != space.size or self._index.dtype != _new_index(space).dtype:
            raise ValueError(f"{path} is a graph of other vectors")
        self._distance = space.distance
        self._scale = scale
        self.datatype = space.datatype
        self.size = len(self._index)

    def search(
        self, queries: NDArray[np.float32], width: int
    ) -> tuple[NDArray[np.uint64], NDArray[np.integer[Any]], int]:
        """About the `width` nearest positions of each of `queries` (m, size), nearest first, as (m, width); how many
        of each row are valid, (m,); and the distances computed in all.

        The walk is as wide as its count: usearch uses the larger of count and `expansion_search`, and the latter is
        shared by all callers.
        """
        stored = encode_queries(self._distance, self.datatype, self._scale, queries)
        keys, _, counts, _, computed = self._index._compiled.search_many(stored, min(width, self.size), False, 1)
        return keys, counts, int(computed)
