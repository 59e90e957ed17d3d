"""Opening a collection and building its graphs, against an empty server's start and against hnswlib."""

import importlib
import multiprocessing
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.data import Dataset
from bench.measure import Result, Skipped, compare, wall
from bench.workload import COLLECTION, load, wait_until_indexed
from headwater import Client, HnswConfigDiff, VectorParams
from tests.support.server_process import server_process

M, EF_CONSTRUCT = 16, 128
ROUNDS = 5
LARGE = 500_000
"""So many rows and more may cost half a second to open, fewer a tenth."""
SPACES = ("definition", "lemmas")

Rows = NDArray[np.float32]


def opening(data: Dataset, folder: Path) -> Iterator[Result]:
    """From the start of the process to the first right answer, after a clean stop."""
    stored = folder / "opened"
    with server_process(stored) as (_, address), Client(address, timeout=3_600) as client:
        load(client, data)
        wait_until_indexed(client)
    best = int(np.argmax(data.definition @ data.queries[0]))
    pairs = [(_answered(stored, data.queries[0], best), _started(folder, number)) for number in range(ROUNDS)]
    allowed = 0.5 if len(data.definition) >= LARGE else 0.1
    more = sorted(ours - empty for ours, empty in pairs)[ROUNDS // 2]
    empty = sorted(empty for _, empty in pairs)[ROUNDS // 2]
    note = f"{len(data.definition):,} rows, two spaces; {more:+.2f} s; wall time to the first answer"
    yield compare("opening", "an empty server's start", pairs, goal=round((empty + allowed) / empty, 2), note=note)
    shutil.rmtree(stored)


def _answered(stored: Path, query: Rows, best: int) -> float:
    started = time.perf_counter()
    with server_process(stored) as (_, address), Client(address, timeout=600) as client:
        [hit] = client.points.search(COLLECTION, query, using="definition", limit=1, with_payload=False)
        seconds = time.perf_counter() - started
    if hit.id != best:
        raise AssertionError("the first answer is wrong")
    return seconds


def _started(folder: Path, number: int) -> float:
    started = time.perf_counter()
    with server_process(folder / f"empty-{number}") as (_, address), Client(address, timeout=600) as client:
        client.collections.list()
        return time.perf_counter() - started


def building(data: Dataset, folder: Path) -> Iterator[Result | Skipped]:
    """Graphs of two spaces by the server's tasks, side by side, against hnswlib with one process for each."""
    what = "building the graphs of two spaces"
    try:
        importlib.import_module("hnswlib")
    except ImportError:
        yield Skipped(what, "hnswlib is not installed")
        return
    rounds = [(_built(data, folder / f"built-{number}"), wall(lambda: _hnswlib(data))) for number in range(2)]
    note = f"m {M}, ef_construct {EF_CONSTRUCT}; wall time, with polling of half a second"
    yield compare(what, "hnswlib, both cores", rounds, goal=1.2, note=note)


def _built(data: Dataset, folder: Path) -> float:
    """Seconds from the last row to the last graph."""
    config = HnswConfigDiff(m=M, ef_construct=EF_CONSTRUCT)
    with server_process(folder) as (_, address), Client(address, timeout=3_600) as client:
        spaces = {name: VectorParams(size=getattr(data, name).shape[1], hnsw_config=config) for name in SPACES}
        load(client, data, spaces=spaces)
        started = time.perf_counter()
        wait_until_indexed(client)
        seconds = time.perf_counter() - started
    shutil.rmtree(folder)
    return seconds


def _hnswlib(data: Dataset) -> None:
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_hnswlib_graph, args=(getattr(data, name),)) for name in SPACES]
    for process in processes:
        process.start()
    for process in processes:
        process.join()


def _hnswlib_graph(rows: Rows) -> None:
    module: Any = importlib.import_module("hnswlib")
    index = module.Index(space="cosine", dim=rows.shape[1])
    index.init_index(max_elements=len(rows), ef_construction=EF_CONSTRUCT, M=M)
    index.add_items(rows, np.arange(len(rows)), num_threads=1)
