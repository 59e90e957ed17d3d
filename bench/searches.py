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
FIRST_SEARCHES = 25
CALLS = 300
HYBRID_EF = 128
"""How wide a search of a new space is when its request does not say."""


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
    note = f"recall@{K} {recall(found, truth):.3f}; server processor time"
    return compare(f"search, one client, ef {ef}", "raw usearch + an empty RPC", rounds, goal=1.15, note=note)


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
    what, note = f"batch of 100 searches in one call, ef {ef}", "server processor time"
    return compare(what, "raw usearch batch", rounds, goal=0.8, note=note)


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

    for share, goal in ((0.001, 1.5), (0.01, 1.5), (0.1, 1.5), (0.3, 2.5), (0.5, 2.5)):
        below = max(K, round(len(bench.data.payloads) * share))
        allowed = np.array([row for row, payload in enumerate(bench.data.payloads) if payload[RANK] < below])
        truth = [set(allowed[list(top)].tolist()) for top in exact_top(bench.data.definition[allowed], queries, K)]
        condition = Field(RANK).lt(below)
        found = search(condition)
        rounds = [(wall(partial(search, condition)), wall(search)) for _ in range(5)]
        note = f"recall@{K} {recall(found, truth):.3f}, shortest answer {min(map(len, found))}"
        yield compare(f"filtered search, {share:.1%} match", "the same search unfiltered", rounds, goal=goal, note=note)


def first_filtered(bench: Bench) -> Iterator[Result]:
    """The first search of a filter that 30 % of the rows pass: nothing is remembered of it."""
    query, rows = bench.data.queries[0], len(bench.data.payloads)

    def search(condition: Condition | None) -> object:
        return bench.client.points.search(
            COLLECTION, query, using="definition", limit=K, filter=condition, with_payload=False
        )

    rounds = []
    for number in range(FIRST_SEARCHES):
        condition = Field(RANK).gte(number).__and__(Field(RANK).lt(number + round(0.3 * rows)))
        rounds.append((wall(partial(search, condition)), wall(partial(search, None))))
    yield compare("first filtered search, 30.0% match", "the same search unfiltered", rounds, goal=2.5)


def hybrid(bench: Bench) -> Result:
    """Two spaces, RRF and re-rank in one call, by the server's processor time."""
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

    def raw() -> None:
        for query in queries:
            for space in ("definition", "lemmas"):
                bench.raw[space].search(query, HYBRID_EF, threads=1)

    def empty() -> None:
        for _ in queries:
            bench.empty_call()

    rounds = [(processor(bench.pid, ours), own_processor(raw) + processor(bench.pid, empty)) for _ in range(ROUNDS)]
    reference = "raw usearch x 2 + an empty RPC"
    note = f"ef {HYBRID_EF}; server processor time"
    return compare("two spaces, RRF, re-rank in one call", reference, rounds, goal=1.5, note=note)
