"""Searches a second against a bare gRPC call around usearch: one client, batches on all cores, and eight callers."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.bare import Bare, bare_server, encoded
from bench.measure import Result, compare, wall
from bench.workload import COLLECTION, Bench
from headwater import Client, SearchParams

EF = 64
K = 10
ROUNDS = 7
CALLS = 300
BATCHES = 10
CALLERS = 8
SECONDS = 2.0

Queries = NDArray[np.float32]
Search = Callable[[Queries], object]


def rates(bench: Bench, folder: Path) -> Iterator[Result]:
    """Requests are built by the client as users build them, so its processor time counts on both sides of the wire."""
    with bare_server(bench.raw["definition"], folder, EF) as bare, bare.call() as call:
        bare_call = partial(_bare, call)
        note = f"ef {EF}; searches a second"
        alone = [_rate(_ours(bench.client), bare_call, bench.data.queries[:CALLS]) for _ in range(ROUNDS)]
        yield _faster("single searches, one client", "a bare gRPC call around one search", alone, goal=0.95, note=note)
        hundred = bench.data.queries[:100]
        batches = [_rate_of_batches(bench.client, bare_call, hundred) for _ in range(ROUNDS)]
        reference = "a bare gRPC call around usearch's own threads"
        yield _faster("batches of 100, all cores", reference, batches, goal=1.2, note=note)
        together = [_rate_together(bench, bare) for _ in range(3)]
        yield _faster(f"single searches, {CALLERS} callers", "the same bare call", together, goal=0.9, note=note)


def _faster(what: str, reference: str, rounds: list[tuple[float, float]], *, goal: float, note: str) -> Result:
    return compare(what, reference, rounds, goal=goal, note=note, at_least=True)


def _ours(client: Client) -> Search:
    params = SearchParams(hnsw_ef=EF)

    def search(query: Queries) -> object:
        return client.points.search(COLLECTION, query, using="definition", limit=K, params=params, with_payload=False)

    return search


def _bare(call: Any, queries: Queries) -> bytes:
    found: bytes = call(encoded(queries))
    return found


def _each(search: Search, queries: Queries) -> None:
    for query in queries:
        search(query)


def _rate(ours: Search, bare: Search, queries: Queries) -> tuple[float, float]:
    count = len(queries)
    return count / wall(partial(_each, ours, queries)), count / wall(partial(_each, bare, queries))


def _rate_of_batches(client: Client, bare: Search, queries: Queries) -> tuple[float, float]:
    params = SearchParams(hnsw_ef=EF)
    searches = [
        {"vector": query, "using": "definition", "limit": K, "params": params, "with_payload": False}
        for query in queries
    ]

    def ours() -> None:
        for _ in range(BATCHES):
            client.points.search_batch(COLLECTION, searches=searches)

    def theirs() -> None:
        for _ in range(BATCHES):
            bare(queries)

    count = BATCHES * len(queries)
    return count / wall(ours), count / wall(theirs)


def _rate_together(bench: Bench, bare: Bare) -> tuple[float, float]:
    """Searches a second of all callers, each with a connection of its own, for some seconds."""
    with ExitStack() as stack:
        clients = [stack.enter_context(Client(bench.client.target)) for _ in range(CALLERS)]
        ours = _together([_ours(client) for client in clients], bench.data.queries)
        calls = [stack.enter_context(bare.call()) for _ in range(CALLERS)]
        return ours, _together([partial(_bare, call) for call in calls], bench.data.queries)


def _together(searches: list[Search], queries: Queries) -> float:
    counts = [0] * len(searches)
    end = time.perf_counter() + SECONDS

    def run(number: int) -> None:
        while time.perf_counter() < end:
            searches[number](queries[counts[number] % len(queries)])
            counts[number] += 1

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(searches))]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - started)
