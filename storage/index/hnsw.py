"""HNSW graphs: building and searching them. The only file that imports usearch.

A graph is derived data. Its keys are positions in its block, and its vectors have a smaller stored form. It only finds
candidates; scores come from the original vectors. One thread builds it, since concurrent `add` leaves some vectors
without links. It never changes after that.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from usearch.index import Index

from storage.files import plain_path
from storage.schema import Datatype, DenseSpace, Distance
from storage.vectors import Encoding, choose_encoding, compared_by, encode_queries, encode_rows

_METRICS = {
    Distance.COSINE: "cos",
    Distance.DOT: "ip",
    Distance.EUCLID: "l2sq",
    Distance.HAMMING: "hamming",
    Distance.JACCARD: "tanimoto",  # Tanimoto equals Jaccard on bits
}
_DTYPES = {
    Datatype.FLOAT32: "f32",
    Datatype.BFLOAT16: "bf16",
    Datatype.FLOAT16: "f16",
    Datatype.INT8: "i8",
    Datatype.BINARY: "b1",
}
_ADDED_AT_ONCE = 1024  # vectors added between two reports of progress
_PLAIN = Encoding()


def has_kernel(distance: Distance) -> bool:
    """Whether a graph can serve the metric. Spaces of other metrics are scanned."""
    return distance in _METRICS


def _new_index(space: DenseSpace, encoding: Encoding) -> Index:
    return Index(
        ndim=space.size,
        metric=_metric_of(space, encoding),
        dtype=_DTYPES[space.datatype],
        connectivity=space.hnsw.m,
        expansion_add=space.hnsw.ef_construct,
        expansion_search=1,  # a search sets its width by its count, see Graph.search
        enable_key_lookups=False,
    )


def _metric_of(space: DenseSpace, encoding: Encoding) -> str:
    """The metric that the graph compares by. Signs are compared by Hamming, whatever the metric of the space."""
    if space.datatype is Datatype.BINARY and not space.distance.is_binary:
        return _METRICS[Distance.HAMMING]
    return _METRICS[compared_by(space.distance, encoding)]


def build(
    space: DenseSpace,
    vectors: NDArray[np.float32],
    positions: NDArray[np.int64],
    path: Path,
    progress: Callable[[int], None] = lambda done: None,
    attempt: int = 0,
) -> Encoding:
    """Builds the graph of `vectors[positions]` (n, size) with keys `positions`, and saves it to `path`, not synced.

    Its stored form is the datatype of `space`. Equal input makes an equal graph, so each `attempt` after the first adds
    the vectors in another order.
    """
    encoding = choose_encoding(space.distance, space.datatype, vectors, positions)
    index = _new_index(space, encoding)
    order = positions if attempt == 0 else np.random.default_rng(attempt).permutation(positions)
    for start in range(0, len(order), _ADDED_AT_ONCE):
        chunk = order[start : start + _ADDED_AT_ONCE]
        rows = encode_rows(space.distance, space.datatype, encoding, vectors[chunk])
        index.add(chunk.astype(np.uint64), rows, threads=1)
        progress(start + len(chunk))
    with plain_path(path) as text:
        index.save(text)
    return encoding


class Graph:
    """A saved graph, mapped read-only. usearch runs the searches of one graph one after another."""

    def __init__(self, space: DenseSpace, path: Path, encoding: Encoding = _PLAIN) -> None:
        """`space` has the stored form that the graph was built with; `encoding` is what `build` returned.

        Requires: `path` matches its checksum, since usearch crashes on damaged files.
        """
        self._index = _new_index(space, encoding)
        with plain_path(path) as text:
            self._index.view(text)
        if self._index.ndim != space.size or self._index.dtype != _new_index(space, encoding).dtype:
            raise ValueError(f"{path} is a graph of other vectors")
        self._distance = space.distance
        self._encoding = encoding
        self.datatype = space.datatype
        self.size = len(self._index)

    def search(
        self, queries: NDArray[np.float32], width: int
    ) -> tuple[NDArray[np.uint64], NDArray[np.integer[Any]], int]:
        """Finds about `width` nearest positions for each of `queries` (m, size).

        Returns the positions, nearest first, as (m, width); how many of each row are valid, (m,); and the number of
        distances computed in all. The width of the walk is set by the count. usearch uses the larger of count and
        `expansion_search`, and all callers share the latter.
        """
        stored = encode_queries(self._distance, self.datatype, self._encoding, queries)
        keys, _, counts, _, computed = self._index._compiled.search_many(stored, min(width, self.size), False, 1)
        return keys, counts, int(computed)
