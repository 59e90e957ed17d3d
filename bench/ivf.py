"""IVF lists: recall and speed by how many are read, builds beside those of graphs, and partitions made elsewhere.

`python -m bench.ivf [--data DIR] [--rows 1000000] [--write]`. Both indexes are built in one run, over the same rows in
one segment, by one process each; `--rows 0` leaves out the large synthetic collection.
"""

import argparse
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench import data, report
from bench.workload import exact_top, recall
from headwater import Client, IvfConfig, PointStruct, SearchParams, VectorParams, VectorParamsDiff
from headwater.partition import installed_backend, make_partition
from tests.support.server_process import server_process

K = 10
SHARES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4)
BEGIN, END = "<!-- ivf: begin -->", "<!-- ivf: end -->"
_TIMEOUT = 7_200.0

Rows = NDArray[np.float32]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.ivf", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, help="a folder with files as in examples/data/wordnet; default: synthetic")
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the synthetic collection; 0: none")
    parser.add_argument("--dimensions", type=int, default=128, help="its dimensions")
    parser.add_argument("--no-graph", action="store_true", help="leave the graph of the synthetic collection out")
    parser.add_argument("--write", action="store_true", help="put the tables into bench/README.md")
    options = parser.parse_args()
    dataset = data.load(options.data)
    lines = [f"Machine: {report.machine()}", ""]
    with tempfile.TemporaryDirectory(prefix="headwater-bench-") as name:
        sets = [(dataset.name, dataset.definition, dataset.queries[:200], 200)]
        if options.rows:
            rows, queries = data.clustered(rows=options.rows, dimensions=options.dimensions, queries=200)
            sets.append((f"synthetic, {options.rows:,} x {options.dimensions}", rows, queries, options.rows // 500))
        for title, rows, queries, lists in sets:
            beside_graph = not (options.no_graph and title.startswith("synthetic,"))
            for line in measure(title, rows, queries, lists, Path(name), beside_graph=beside_graph):
                print(line, flush=True)
                lines.append(line)
            lines.append("")
    if options.write:
        report.put("\n".join(lines), Path(__file__).parent / "README.md", BEGIN, END)


def measure(title: str, rows: Rows, queries: Rows, lists: int, folder: Path, *, beside_graph: bool) -> Iterator[str]:
    """The two tables of one data set."""
    truth = exact_top(rows, queries, K)
    with server_process(folder / "ivf") as (_, address), Client(address, timeout=_TIMEOUT) as client:
        _load(client, "c", rows, lists)
        graph = _build(client, "hnsw") if beside_graph else None
        lists_built = _build(client, "ivf")
        own = _sweep(client, queries, truth, lists)
        started = time.monotonic()
        sample = client.vde.sample_vectors("c", min(len(rows), 64 * lists), seed=1)
        tree = make_partition(sample.vectors, lists, spherical=True)
        partition = client.vde.import_partition("c", tree)
        elsewhere = time.monotonic() - started
        client.vde.trigger_rebuild("c", partition_id=partition.partition_id)
        assigned = _settle(client)
        other = _sweep(client, queries, truth, lists)
    shutil.rmtree(folder / "ivf")
    yield f"{title}; {lists:,} lists, int8 codes, one segment:"
    yield ""
    yield "| build | seconds | relative to the graph |"
    yield "|---|--:|--:|"
    yield f"| HNSW, bfloat16, m 16, ef_construct 200 | {'left out' if graph is None else f'{graph:.1f}'} | 1 |"
    yield f"| IVF, partition of the server's own | {lists_built:.1f} | {_share(lists_built, graph)} |"
    yield f"| IVF, by a partition made elsewhere | {assigned:.1f} | {_share(assigned, graph)} |"
    yield f"| sampling, clustering elsewhere by {installed_backend()}, sending | {elsewhere:.1f} | |"
    yield ""
    yield "| lists read | recall@10, own | recall@10, made elsewhere | searches a second, relative to reading all |"
    yield "|--:|--:|--:|--:|"
    all_seconds = own[-1][2]
    for (nprobe, share, seconds), (_, other_share, _) in zip(own, other, strict=True):
        yield f"| {nprobe:,} | {share:.3f} | {other_share:.3f} | {all_seconds / seconds:.1f} |"


def _share(seconds: float, graph: float | None) -> str:
    return "" if graph is None else f"1/{graph / seconds:.0f}"


def _load(client: Client, name: str, rows: Rows, lists: int) -> None:
    params = VectorParams(rows.shape[1], index="flat", ivf_config=IvfConfig(lists=lists))
    config = {"indexing_threshold": max(1_000, len(rows))}
    client.collections.create(name, params, optimizers_config=config)
    points = (PointStruct(number, vector) for number, vector in enumerate(rows))
    client.upload_points(name, points, batch_size=1_000)


def _build(client: Client, kind: str) -> float:
    """Seconds until an index of `kind` serves all rows."""
    client.collections.update("c", update_vectors={"": VectorParamsDiff(index=kind)})
    return _settle(client)


def _settle(client: Client) -> float:
    started = time.monotonic()
    client.vde.optimize("c")
    return time.monotonic() - started


def _sweep(client: Client, queries: Rows, truth: list[set[int]], lists: int) -> list[tuple[int, float, float]]:
    """(lists read, recall, seconds) for each share of the lists, and for all of them."""
    measured = []
    for nprobe in [*dict.fromkeys(max(1, round(lists * share)) for share in SHARES), lists]:
        params = SearchParams(ivf_nprobe=nprobe)
        started = time.monotonic()
        found = [
            {int(hit.id) for hit in client.points.search("c", query, limit=K, with_payload=False, params=params)}
            for query in queries
        ]
        measured.append((nprobe, recall(found, truth), time.monotonic() - started))
    return measured


if __name__ == "__main__":
    main()
