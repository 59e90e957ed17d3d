"""Recall at 10 of each stored form on ordinary and odd data: `python -m bench.forms` prints the table of the docs.

Each graph is searched as a server does by default, with queries that are rows and queries between rows; what it finds
is compared with exact scores of the originals, so rows with equal scores stand in for each other.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from storage.schema import Datatype, DenseSpace, Distance
from storage.segments.build_index import build_graph

Rows = NDArray[np.float32]

METRICS = (Distance.COSINE, Distance.DOT, Distance.EUCLID)
CENTRES = 50


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.forms", description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=2_000)
    parser.add_argument("--size", type=int, default=32, help="dimensions")
    options = parser.parse_args()
    print(f"| data | metric | {' | '.join(f'`{form.name}`' for form in Datatype)} |")
    print("|---|---|" + "---|" * len(Datatype))
    with tempfile.TemporaryDirectory(prefix="headwater-bench-") as folder:
        for name, rows in data(options.rows, options.size):
            for metric in METRICS:
                recalls = (recall(rows, metric, form, Path(folder) / "graph") for form in Datatype)
                print(f"| {name} | {metric.value} | {' | '.join(f'{each:.2f}' for each in recalls)} |", flush=True)


def data(count: int, size: int) -> Iterator[tuple[str, Rows]]:
    """Rows by what is odd about them."""
    random = np.random.default_rng(0)
    plain = random.standard_normal((CENTRES, size))[random.integers(0, CENTRES, count)]
    plain += 0.5 * random.standard_normal((count, size))
    changes: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
        "plain": lambda rows: rows,
        "tiny, 1e-30": lambda rows: rows * 1e-30,
        "huge, 1e30": lambda rows: rows * 1e30,
        "offset, 1,000 each": lambda rows: rows + 1_000,
        "one tight cluster, 1e-5": lambda rows: rows[:1] + 1e-5 * (rows - rows[:1]),
        "one row 1,000 times longer": _with_outlier,
        "each row 4 times": lambda rows: np.repeat(rows[: len(rows) // 4], 4, axis=0),
    }
    for name, change in changes.items():
        yield name, change(plain).astype(np.float32)


def _with_outlier(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    rows = rows.copy()
    rows[0] *= 1_000
    return rows


def recall(rows: Rows, metric: Distance, form: Datatype, path: Path) -> float:
    """What a graph of `rows` finds whose stored form was chosen."""
    space = DenseSpace(size=rows.shape[1], distance=metric, datatype=form)
    return build_graph(space, rows, np.arange(len(rows)), path).recall


if __name__ == "__main__":
    main()
