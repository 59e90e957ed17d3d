"""Makes partitions for IVF spaces anywhere: `python -m headwater.partition` clusters a sample and sends the tree.

faiss, torch (on a GPU when there is one) or scikit-learn runs k-means, or numpy when none of them is installed. It
starts with the lists and goes up level by level. The centroids of one level are the sample of the level above. The
parent of a node is the nearest node of the level above.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headwater._client import Client
from headwater.models import PartitionRow

DEFAULT_ITERATIONS = 10
DEFAULT_SEED = 42
_ROWS_AT_ONCE = 4096

Matrix = NDArray[np.float32]


def make_partition(
    vectors: ArrayLike,
    lists: int | Sequence[int],
    *,
    backend: str | None = None,
    iterations: int = DEFAULT_ITERATIONS,
    seed: int = DEFAULT_SEED,
    spherical: bool = False,
) -> list[PartitionRow]:
    """Makes a partition from a sample, and returns the rows of its tree for `client.vde.import_partition`.

    `vectors` has the shape (n, size); it is used as float32. `lists` is the number of lists, or the number of nodes of
    each level from the top, ascending. `backend` is faiss, torch, sklearn or numpy; None: the first that is installed.
    `spherical` brings rows and centroids to length 1, as Cosine needs. On a CPU, equal arguments give equal rows.
    Raises ValueError when `vectors` is not a matrix of finite numbers, when `lists` do not ascend from 1 or more, or
    when there are fewer vectors than lists.
    """
    rows = np.ascontiguousarray(vectors, dtype=np.float32)
    counts = [lists] if isinstance(lists, int) else list(lists)
    if rows.ndim != 2 or not np.isfinite(rows).all():
        raise ValueError("vectors are a matrix of finite numbers")
    if not counts or counts != sorted(counts) or counts[0] < 1 or counts[-1] > len(rows):
        raise ValueError(f"lists are 1 to {len(rows):,} (the rows of the sample) and ascend from level to level")
    cluster = BACKENDS[backend or installed_backend()]
    levels: list[Matrix] = []
    sample = _of_length_one(rows) if spherical else rows
    for count in reversed(counts):
        centroids = np.asarray(cluster(sample, count, iterations, seed, spherical), np.float32)
        sample = _of_length_one(centroids) if spherical else centroids
        levels.insert(0, sample)
    return _rows_of(levels)


def installed_backend() -> str:
    """Returns the name of the backend that is used when none is given."""
    return next(name for name in ("faiss", "torch", "sklearn", "numpy") if find_spec(name) is not None)


def save(rows: Sequence[PartitionRow], path: str | Path) -> None:
    """Writes rows to an .npz file with `ids` (int64), `parents` (int64, -1: none) and `vectors` (float32)."""
    np.savez(
        path,
        ids=np.array([row.id for row in rows], np.int64),
        parents=np.array([-1 if row.parent is None else row.parent for row in rows], np.int64),
        vectors=np.stack([np.asarray(row.vector, np.float32) for row in rows]),
    )


def load(path: str | Path) -> list[PartitionRow]:
    """Returns the rows of a file that `save` wrote."""
    with np.load(path) as file:
        parents = [None if parent < 0 else parent for parent in file["parents"].tolist()]
        return [PartitionRow(*row) for row in zip(file["ids"].tolist(), parents, file["vectors"], strict=True)]


def _rows_of(levels: Sequence[Matrix]) -> list[PartitionRow]:
    """Makes the rows: a root, which is the mean of the top level, and each level below it. Nodes without children are
    left out, except in the lowest level."""
    kept = [np.arange(len(levels[-1]))]
    parents: list[NDArray[np.int64]] = []
    for above, below in reversed(list(pairwise(levels))):
        parents.insert(0, _nearest(below[kept[0]], above))
        kept.insert(0, np.unique(parents[0]))
    parents.insert(0, np.zeros(len(kept[0]), np.int64))
    rows = [PartitionRow(0, None, levels[0].mean(axis=0))]
    ids = {0: 0}  # row ids of the nodes in the level above
    for level, nodes, chosen in zip(levels, kept, parents, strict=True):
        below_ids: dict[int, int] = {}
        for node, parent in zip(nodes.tolist(), chosen.tolist(), strict=True):
            below_ids[node] = len(rows)
            rows.append(PartitionRow(len(rows), ids[parent], level[node]))
        ids = below_ids
    return rows


def _nearest(rows: Matrix, centroids: Matrix) -> NDArray[np.int64]:
    half_squares = np.square(centroids).sum(axis=1) / 2
    nearest = np.empty(len(rows), np.int64)
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        part = rows[start : start + _ROWS_AT_ONCE]
        nearest[start : start + len(part)] = np.argmax(part @ centroids.T - half_squares, axis=1)
    return nearest


def _of_length_one(rows: Matrix) -> Matrix:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    result: Matrix = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
    return result


def _by_faiss(rows: Matrix, count: int, iterations: int, seed: int, spherical: bool) -> Any:
    import faiss

    kmeans = faiss.Kmeans(
        rows.shape[1],
        count,
        niter=iterations,
        seed=seed,
        spherical=spherical,
        min_points_per_centroid=1,
        max_points_per_centroid=len(rows),
        gpu=faiss.get_num_gpus() > 0 if hasattr(faiss, "get_num_gpus") else False,
    )
    kmeans.train(rows)
    return kmeans.centroids


def _by_sklearn(rows: Matrix, count: int, iterations: int, seed: int, spherical: bool) -> Any:
    from sklearn.cluster import KMeans

    return KMeans(count, init="random", n_init=1, max_iter=iterations, random_state=seed).fit(rows).cluster_centers_


def _by_torch(rows: Matrix, count: int, iterations: int, seed: int, spherical: bool) -> Any:
    import torch

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    points = torch.from_numpy(rows).to(device)
    first = np.random.default_rng(seed).permutation(len(rows))[:count]
    centroids = points[torch.from_numpy(first).to(device)].clone()
    for _ in range(iterations):
        half_squares = centroids.square().sum(1) / 2
        labels = torch.cat([(part @ centroids.T - half_squares).argmax(1) for part in points.split(_ROWS_AT_ONCE)])
        sums = torch.zeros_like(centroids).index_add_(0, labels, points)
        counts = torch.bincount(labels, minlength=count)[:, None]
        centroids = torch.where(counts > 0, sums / counts.clamp(min=1), centroids)
        if spherical:
            centroids = torch.nn.functional.normalize(centroids)
    return centroids.cpu().numpy()


def _by_numpy(rows: Matrix, count: int, iterations: int, seed: int, spherical: bool) -> Any:
    centroids = rows[np.random.default_rng(seed).permutation(len(rows))[:count]].copy()
    for _ in range(iterations):
        labels = _nearest(rows, centroids)
        order = np.argsort(labels, kind="stable")
        found, starts, counts = np.unique(labels[order], return_index=True, return_counts=True)
        centroids[found] = np.add.reduceat(rows[order], starts, axis=0) / counts[:, None]
        if spherical:
            centroids = _of_length_one(centroids)
    return centroids


BACKENDS: dict[str, Callable[[Matrix, int, int, int, bool], Any]] = {
    "faiss": _by_faiss,
    "torch": _by_torch,
    "sklearn": _by_sklearn,
    "numpy": _by_numpy,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m headwater.partition`. Returns the exit status."""
    options = _parser().parse_args(arguments)
    if (options.file is None) == (options.server is None):
        print("give either a file with the sample, or --server and --collection", file=sys.stderr)
        return 2
    if options.server is not None and options.collection is None:
        print("--server needs --collection", file=sys.stderr)
        return 2
    client = None if options.server is None else Client(options.server)
    try:
        return _run(options, client)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    finally:
        if client is not None:
            client.close()


def _run(options: argparse.Namespace, client: Client | None) -> int:
    if client is None:
        sample = np.load(options.file)
    else:
        sample = client.vde.sample_vectors(options.collection, options.sample, options.using, seed=options.seed).vectors
    backend = options.backend or installed_backend()
    print(f"clustering {len(sample):,} vectors of {sample.shape[1]} dimensions by {backend}", flush=True)
    rows = make_partition(
        sample,
        options.lists,
        backend=backend,
        iterations=options.iterations,
        seed=options.seed,
        spherical=options.spherical,
    )
    if options.output is not None:
        save(rows, options.output)
        print(f"wrote {len(rows):,} rows to {options.output}")
    if client is not None and options.send:
        partition = client.vde.import_partition(options.collection, rows, options.using)
        print(f"imported partition {partition.partition_id}: lists {' x '.join(map(str, partition.lists))}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m headwater.partition", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("file", nargs="?", help="the sample, an .npy file of (n, size) numbers")
    parser.add_argument("--server", help="take the sample from this server: localhost:50051")
    parser.add_argument("--collection", help="its collection")
    parser.add_argument("--using", help="the space (default: the unnamed one, or the only one)")
    parser.add_argument("--sample", type=int, default=100_000, help="vectors to draw (default %(default)s)")
    parser.add_argument("--lists", type=int, nargs="+", required=True, help="nodes of each level from the top")
    parser.add_argument("--backend", choices=sorted(BACKENDS), help="what clusters (default: what is installed)")
    parser.add_argument("--iterations", type=int, default=DEFAULT_ITERATIONS, help="of k-means (default %(default)s)")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help="of sample and k-means (default %(default)s)")
    parser.add_argument("--spherical", action="store_true", help="centroids of length 1, as for Cosine")
    parser.add_argument("--output", help="write the rows to this .npz file")
    parser.add_argument("--import", dest="send", action="store_true", help="send the rows to the server")
    return parser


if __name__ == "__main__":
    sys.exit(main())
