"""The storage engine: stored forms, opening many points, searching while writing, and churn.

`python -m bench.engine [--data DIR] [--rows 1000000] [--write]`. Figures are counts, shares and ratios; times are given
where a bound is promised, with the machine they were taken on.
"""

import argparse
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench import data, report
from bench.workload import exact_top, recall, resident_bytes
from headwater import Client, Datatype, PointStruct, SearchParams, VectorParams
from tests.support.server_process import server_process

K = 10
FORMS = (Datatype.Float32, Datatype.BFloat16, Datatype.Float16, Datatype.Int8, Datatype.Binary)
BEGIN, END = "<!-- engine: begin -->", "<!-- engine: end -->"

Rows = NDArray[np.float32]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.engine", description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="a folder with files as in examples/data/wordnet; default: synthetic")
    parser.add_argument("--rows", type=int, default=1_000_000, help="points of the large collection")
    parser.add_argument("--write", action="store_true", help="put the tables into bench/README.md")
    options = parser.parse_args()
    dataset = data.load(options.data)
    with tempfile.TemporaryDirectory(prefix="headwater-bench-") as name:
        folder = Path(name)
        lines = [f"Data: {dataset.name}; {report.machine()}", ""]
        for part in (
            stored_forms(dataset, folder),
            writing_and_building(dataset, folder),
            churn(dataset, folder),
            large(options.rows, folder),
        ):
            for line in part:
                print(line, flush=True)
                lines.append(line)
            lines.append("")
    if options.write:
        report.put("\n".join(lines), Path(__file__).parent / "README.md", BEGIN, END)


def stored_forms(dataset: data.Dataset, folder: Path) -> Iterator[str]:
    """Recall, size and build time of a graph in each stored form, with default search parameters."""
    queries = dataset.queries[:200]
    truth = exact_top(dataset.definition, queries, K)
    yield "| stored form | recall@10 | graph, bytes a vector | build, seconds | search, ratio to bfloat16 |"
    yield "|---|--:|--:|--:|--:|"
    with server_process(folder / "forms") as (_, address), Client(address, timeout=600) as client:
        measured = []
        for form in FORMS:
            started = time.monotonic()
            _load(client, form.name, dataset.definition, datatype=form, threshold=len(dataset.definition))
            settle(client, form.name)
            build = time.monotonic() - started
            before = client.vde.get_stats(form.name).spaces[""]
            size = (before.disk_bytes - dataset.definition.nbytes) / len(dataset.definition)
            found, seconds = _search(client, form.name, queries)
            measured.append((form, recall(found, truth), size, build, seconds))
            client.collections.delete(form.name)
        reference = next(row[4] for row in measured if row[0] is Datatype.BFloat16)
        for form, share, size, build, seconds in measured:
            yield f"| {form.name} | {share:.3f} | {size:,.0f} | {build:.1f} | {seconds / reference:.2f} |"


def writing_and_building(dataset: data.Dataset, folder: Path) -> Iterator[str]:
    """99th percentile of search times, alone, and while another client writes and graphs are built."""
    queries = dataset.queries[:200]
    with server_process(folder / "busy") as (_, address), Client(address, timeout=600) as client:
        _load(client, "quiet", dataset.definition, threshold=2_000)
        settle(client, "quiet")
        alone = _percentile(client, "quiet", queries, rounds=5)
        stop = threading.Event()
        writer = threading.Thread(target=_keep_writing, args=(address, dataset.lemmas, stop))
        writer.start()
        time.sleep(1)
        busy = _percentile(client, "quiet", queries, rounds=5)
        stop.set()
        writer.join()
    yield "| search of one collection | p99 relative to alone |"
    yield "|---|--:|"
    yield "| alone | 1.00 |"
    yield f"| while another is written without pause and its graphs are built | {busy / alone:.2f} |"


def churn(dataset: data.Dataset, folder: Path, rounds: int = 12) -> Iterator[str]:
    """Deletes and reinserts half of the points, again and again; then recall and disk against a fresh collection."""
    queries = dataset.queries[:200]
    rows = dataset.definition
    truth = exact_top(rows, queries, K)
    random = np.random.default_rng(5)
    with server_process(folder / "churn") as (_, address), Client(address, timeout=600) as client:
        _load(client, "churn", rows, threshold=5_000)
        settle(client, "churn")
        fresh_recall = recall(_search(client, "churn", queries)[0], truth)
        fresh_disk = client.vde.get_stats("churn").total.disk_bytes
        for _ in range(rounds):
            half = random.permutation(len(rows))[: len(rows) // 2].tolist()
            client.points.delete("churn", ids=half)
            for start in range(0, len(half), 1_000):
                part = half[start : start + 1_000]
                client.points.upsert("churn", [PointStruct(id=row, vector=rows[row]) for row in part])
            settle(client, "churn")
        churned = recall(_search(client, "churn", queries)[0], truth)
        disk = client.vde.get_stats("churn").total.disk_bytes
    yield f"| after {rounds} rounds of deleting and reinserting half | fresh | churned |"
    yield "|---|--:|--:|"
    yield f"| recall@10 | {fresh_recall:.3f} | {churned:.3f} |"
    yield f"| disk | 1.00 | {disk / fresh_disk:.2f} |"


def large(rows: int, folder: Path, dimensions: int = 384) -> Iterator[str]:
    """Loads `rows` synthetic points, restarts the server and times its first answer; then recall and memory."""
    source, queries = data.clustered(rows=rows, dimensions=dimensions, queries=100)
    with server_process(folder / "large") as (_, address), Client(address, timeout=3_600) as client:
        started = time.monotonic()
        _load(client, "large", source)
        loaded = time.monotonic() - started
        settle(client, "large", seconds=3_600)
        built = time.monotonic() - started
        segments = client.vde.get_stats("large").total.segments
    started = time.monotonic()
    with server_process(folder / "large") as (process, address), Client(address, timeout=600) as client:
        ready = time.monotonic() - started
        client.points.search("large", queries[0], limit=K, with_payload=False)
        first = time.monotonic() - started
        settle(client, "large", seconds=600)
        truth = exact_top(source, queries, K)
        found, seconds = _search(client, "large", queries)
        anonymous, mapped = resident_bytes(process.pid)
    shutil.rmtree(folder / "large")
    yield f"| {rows:,} points of {dimensions} dimensions | |"
    yield "|---|--:|"
    yield f"| loading, durable, points a second | {rows / loaded:,.0f} |"
    yield f"| until every graph was built, seconds | {built:,.0f} |"
    yield f"| segments | {segments} |"
    yield f"| start of the process to its first answer, seconds (of it until ready) | {first:.2f} ({ready:.2f}) |"
    yield f"| recall@10, default parameters | {recall(found, truth):.3f} |"
    yield f"| searches a second, one client | {len(queries) / seconds:,.0f} |"
    yield f"| memory beside mapped files, MiB a million points | {anonymous / 2**20 / (rows / 1e6):,.0f} |"
    yield f"| mapped and resident, MiB | {mapped / 2**20:,.0f} |"


def _load(client: Client, name: str, rows: Rows, *, threshold: int = 20_000, datatype: Datatype | None = None) -> None:
    client.collections.create(
        name,
        vectors_config=VectorParams(size=rows.shape[1], datatype=datatype),
        optimizers_config={"indexing_threshold": min(threshold, len(rows))},
    )
    client.upload_points(
        name, (PointStruct(id=row, vector=vector) for row, vector in enumerate(rows)), batch_size=1_000
    )


def settle(client: Client, name: str, seconds: float = 600) -> None:
    """Waits until no background work is due."""
    deadline = time.monotonic() + seconds
    while client.vde.get_optimizations(name):
        assert time.monotonic() < deadline, "background work did not end"
        if sys.stderr.isatty():
            print("  waiting for background work", end="\r", file=sys.stderr, flush=True)
        time.sleep(0.5)


def _search(client: Client, name: str, queries: Rows) -> tuple[list[set[int]], float]:
    started = time.monotonic()
    found = [
        {int(hit.id) for hit in client.points.search(name, query, limit=K, with_payload=False)} for query in queries
    ]
    return found, time.monotonic() - started


def _percentile(client: Client, name: str, queries: Rows, rounds: int) -> float:
    times = []
    for query in np.concatenate([queries] * rounds):
        started = time.monotonic()
        client.points.search(name, query, limit=K, with_payload=False, params=SearchParams(hnsw_ef=64))
        times.append(time.monotonic() - started)
    return float(np.percentile(times, 99))


def _keep_writing(address: str, rows: Rows, stop: threading.Event) -> None:
    with Client(address, timeout=600) as client:
        client.collections.create(
            "busy", vectors_config=VectorParams(size=rows.shape[1]), optimizers_config={"indexing_threshold": 2_000}
        )
        start = 0
        while not stop.is_set():
            part = range(start, start + 256)
            points = [PointStruct(id=row, vector=rows[row % len(rows)]) for row in part]
            client.points.upsert("busy", points)
            start += 256


if __name__ == "__main__":
    main()
