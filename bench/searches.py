"""Searches against raw usearch: one at a time, in batches, filtered, and two spaces fused and re-ranked."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from bench.data import RANK
from bench.measure import Result, compare, own_processor, processor, wall
from bench.workload import COLLECTION, Bench, exact_top, recall
from headwater import Field, Fusion, PrefetchQuery, SearchParams
from headwater.filters import Condition

K = 10
ROUNDS = 7
CALLS = 300


def single(bench: Bench, ef: int) -> Result:
    """One search a call, ids only, by the server's processor time."""
    queries = bench.data.queries[:CALLS]
    params = SearchParams(hnsw_ef=ef)
    truth = exact_top(bench.data.definition, queries, K)
    found: list[set[int]] = []

    def ours() -> None:
        found.clear()
        for query in queries:
            hits = bench.client.points.search(
                COLLECTION, query, using="definition", limit=K, params=params, with_payload=False
            )
            found.append({int(hit.id) for hit in hits})

    def empty() -> None:
        for _ in queries:
            bench.empty_call()

    def raw() -> None:
        for query in queries:
            bench.raw["definition"].search(query, ef, threads=1)

    rounds = []
    for _ in range(ROUNDS):
        rounds.append((processor(bench.pid, ours), own_processor(raw) + processor(bench.pid, empty)))
    note = f"recall@{K} {recall(found, truth):.3f} at ef {ef}; server processor time"
    return compare("search, one client", "raw usearch + an empty RPC", rounds, goal=1.5, note=note)


def batch(bench: Bench, ef: int) -> Result:
    """A hundred searches in one call, by the server's processor time."""
    queries = bench.data.queries[:100]
    searches = [
        {"vector": query, "using": "definition", "limit": K, "params": SearchParams(hnsw_ef=ef), "with_payload": False}
        for query in queries
    ]

    def ours() -> None:
        for _ in range(5):
            bench.client.points.search_batch(COLLECTION, searches=searches)

    def raw() -> None:
        for _ in range(5):
            bench.raw["definition"].search(queries, ef, threads=1)

    rounds = [(processor(bench.pid, ours), own_processor(raw)) for _ in range(ROUNDS)]
    return compare("batch of 100 searches in one call", "raw usearch batch", rounds, goal=1.3, note=f"ef {ef}")


def filtered(bench: Bench) -> Iterator[Result]:
    """Searches filtered by a payload field against the same unfiltered, by wall time; the filter is remembered."""
    queries = bench.data.queries[:100]

    def search(condition: Condition | None = None) -> list[set[int]]:
        return [
            {
                int(hit.id)
                for hit in bench.client.points.search(
                    COLLECTION, query, using="definition", limit=K, filter=condition, with_payload=False
                )
            }
            for query in queries
        ]

    for share in (0.001, 0.01, 0.1, 0.5):
        below = max(K, round(len(bench.data.payloads) * share))
        allowed = np.array([row for row, payload in enumerate(bench.data.payloads) if payload[RANK] < below])
        truth = [set(allowed[list(top)].tolist()) for top in exact_top(bench.data.definition[allowed], queries, K)]
        condition = Field(RANK).lt(below)
        found = search(condition)
        rounds = [(wall(partial(search, condition)), wall(search)) for _ in range(5)]
        note = f"recall@{K} {recall(found, truth):.3f}, shortest answer {min(map(len, found))}"
        yield compare(f"filtered search, {share:.1%} match", "the same search unfiltered", rounds, goal=3.0, note=note)


def hybrid(bench: Bench) -> Result:
    """Two spaces, RRF and re-rank in one call, against the two searches in one batch; server processor time."""
    queries = bench.data.queries[:CALLS]

    def ours() -> None:
        for query in queries:
            bench.client.points.query(
                COLLECTION,
                prefetch=[
                    PrefetchQuery(
                        query={"fusion": Fusion.RRF},
                        prefetch=[
                            PrefetchQuery(query=query, using="definition", limit=50),
                            PrefetchQuery(query=query, using="lemmas", limit=50),
                        ],
                        limit=50,
                    )
                ],
                query=query,
                using="lemmas",
                limit=K,
                with_payload=False,
            )

    def two_searches() -> None:
        for query in queries:
            bench.client.points.search_batch(
                COLLECTION,
                searches=[
                    {"vector": query, "using": space, "limit": 50, "with_payload": False}
                    for space in ("definition", "lemmas")
                ],
            )

    rounds = [(processor(bench.pid, ours), processor(bench.pid, two_searches)) for _ in range(ROUNDS)]
    return compare("two spaces, RRF, re-rank in one call", "the two searches alone", rounds, goal=1.3)
