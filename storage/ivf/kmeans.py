"""k-means: the partition that the server computes from a sample of the rows. Equal input gives equal centroids.

Lloyd's algorithm, starting from random rows. An empty cluster takes half of the largest one. Trees of two and more
levels are made from the bottom up: the centroids of a level are clustered again.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from storage.ivf.partition import Partition, directed, nearest
from storage.schema import MAX_LISTS, Distance, IvfConfig

_SPLIT = 1e-3  # distance between the halves of a split cluster, relative to its centroid

Progress = Callable[[int, int], None]
"""Called with the passes over the sample that are done, and with their total."""


def lists_for(rows: int) -> tuple[int, ...]:
    """Nodes of each level for `rows` rows.

    One level of rows / 500 nodes up to 2 million rows, and of 6 sqrt(rows) up to 50 million. Above that 12 sqrt(rows),
    below a level of the square root of that number. Source: the rules of VectorChord, here also used below 100,000
    rows.
    """
    if rows <= 2_000_000:
        return (max(1, round(rows / 500)),)
    if rows <= 50_000_000:
        return (min(MAX_LISTS, round(6 * math.sqrt(rows))),)
    lists = min(MAX_LISTS, round(12 * math.sqrt(rows)))
    return (round(math.sqrt(lists)), lists)


def wanted_lists(config: IvfConfig, rows: int) -> tuple[int, ...]:
    """Nodes of each level for a segment of `rows` rows: as set in `config`, but not more lists than rows."""
    lists = config.lists or lists_for(rows)
    return tuple(max(1, min(count, rows)) for count in lists)


def sample_size(config: IvfConfig, rows: int) -> int:
    """The number of rows that are clustered."""
    return min(rows, max(1, math.ceil(config.sampling_factor * wanted_lists(config, rows)[-1])))


def make_partition(
    vectors: NDArray[np.float32],
    positions: NDArray[np.int64],
    distance: Distance,
    config: IvfConfig,
    progress: Progress = lambda done, total: None,
) -> Partition:
    """Computes the partition of `vectors[positions]` from a sample of them."""
    random = np.random.default_rng(config.seed)
    chosen = np.sort(random.permutation(positions)[: sample_size(config, len(positions))])
    sample = directed(np.ascontiguousarray(vectors[chosen], dtype=np.float32), distance)
    lists = wanted_lists(config, len(positions))
    spherical = config.spherical if config.spherical is not None else distance is Distance.COSINE
    levels = []
    for level, count in enumerate(reversed(lists)):
        ratio = 1.0 if level == 0 else len(sample) / len(chosen)

        def report(done: int, ratio: float = ratio) -> None:
            progress(round(done * ratio), config.iterations)

        sample = cluster(sample, min(count, len(sample)), config.iterations, spherical, random, report)
        levels.append(sample)
    return tree_of(levels[::-1])


def tree_of(levels: list[NDArray[np.float32]]) -> Partition:
    """Makes a tree of `levels`, given from the top. The parent of a node is the nearest node of the level above.

    Nodes without children are dropped.
    """
    kept = [levels[-1]]
    starts: list[NDArray[np.int64]] = []
    for above in reversed(levels[:-1]):
        parents = nearest(kept[0], above)
        order = np.argsort(parents, kind="stable")
        used, counts = np.unique(parents, return_counts=True)
        kept[0] = kept[0][order]
        starts.insert(0, np.concatenate(([0], np.cumsum(counts))))
        if len(starts) > 1:  # the children follow the new order of their parents
            starts[1] = _reordered(starts[1], order, kept)
        kept.insert(0, above[used])
    starts.insert(0, np.array([0, len(kept[0])], np.int64))
    return Partition(tuple(kept), tuple(np.asarray(each, np.int64) for each in starts))


def _reordered(
    starts: NDArray[np.int64], order: NDArray[np.intp], kept: list[NDArray[np.float32]]
) -> NDArray[np.int64]:
    """Returns `starts` of the level below, after its parents were put in `order`. Also puts that level's nodes in
    order."""
    blocks = [np.arange(starts[node], starts[node + 1]) for node in order.tolist()]
    kept[1] = kept[1][np.concatenate(blocks)]
    result: NDArray[np.int64] = np.concatenate(([0], np.cumsum([len(block) for block in blocks])))
    return result


def cluster(
    rows: NDArray[np.float32],
    count: int,
    iterations: int,
    spherical: bool,
    random: np.random.Generator,
    report: Callable[[int], None] = lambda done: None,
) -> NDArray[np.float32]:
    """Clusters `rows` (n, size) into `count` centroids, float32 (count, size). Requires: n >= count."""
    centroids = rows[np.sort(random.permutation(len(rows))[:count])].copy()
    for iteration in range(iterations):
        labels = nearest(rows, centroids)
        centroids = _means(rows, labels, centroids, random)
        if spherical:
            centroids = directed(centroids, Distance.COSINE)
        report(iteration + 1)
    return centroids


def _means(
    rows: NDArray[np.float32],
    labels: NDArray[np.int64],
    before: NDArray[np.float32],
    random: np.random.Generator,
) -> NDArray[np.float32]:
    counts = np.bincount(labels, minlength=len(before))
    order = np.argsort(labels, kind="stable")
    filled = np.flatnonzero(counts)
    starts = np.concatenate(([0], np.cumsum(counts[filled])[:-1]))
    means = before.copy()
    means[filled] = np.add.reduceat(rows[order], starts, axis=0, dtype=np.float64) / counts[filled, None]
    for empty in np.flatnonzero(counts == 0).tolist():
        largest = int(np.argmax(counts))
        step = np.float32(_SPLIT) * means[largest] * random.choice([-1, 1], len(means[largest])).astype(np.float32)
        means[empty], means[largest] = means[largest] + step, means[largest] - step
        counts[empty] = counts[largest] // 2
        counts[largest] -= counts[empty]
    return means
