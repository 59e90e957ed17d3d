"""Nearness to a sparse vector or a multi-vector. Searches and scores are those of storage/search."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.rank.ranker import Found, Ranker, Slots, without
from planner.rank.ranking import Ranking
from planner.rank.run_context import RunContext
from storage.schema import Distance
from storage.search import RecordQuery, SparseQuery, score_records, search_records
from storage.vectors import SparseMetric


@dataclass(frozen=True, slots=True)
class InRecords(Ranker):
    """Nearness in a space of sparse or multi-vectors. Points that share no index with a sparse one are left out."""

    query: RecordQuery
    space: str

    @property
    def name(self) -> str:
        return "sparse" if isinstance(self.query, SparseQuery) else "max_sim"

    @property
    def is_exact(self) -> bool:
        return self.query.is_exact

    @property
    def spaces(self) -> tuple[str, ...]:
        return (self.space,)

    @property
    def metric(self) -> Distance:
        # Cosine's conversion is 1 - s, which serves every ratio; Dot's is -s.
        is_ratio = isinstance(self.query, SparseQuery) and self.query.metric is not SparseMetric.DOT
        return Distance.COSINE if is_ratio else Distance.DOT

    def describe(self) -> dict[str, str]:
        return {"using": self.space} | _described(self.query)

    def no_rank(self) -> str:
        return f"it shares no index with the query in {self.space!r}"

    def rank(
        self, slots: Slots, run: RunContext, lists: Sequence[Ranking] = (), limit: int | None = None
    ) -> tuple[Ranking, int]:
        hits = score_records(run.reader, self.space, slots, self.query, run.budget)
        return Ranking(hits.slots, hits.scores), hits.distance_computations

    def find(self, allowed: Slots | None, excluded: NDArray[np.int64], limit: int, run: RunContext) -> Found:
        """As many more rows are searched for as points are excluded."""
        hits = search_records(run.reader, self.space, self.query, limit + len(excluded), allowed, run.budget)
        ranking = without(Ranking(hits.slots, hits.scores), excluded, limit)
        rows_in = run.reader.vector_count(self.space) if allowed is None else len(allowed)
        total = None if len(excluded) else hits.total
        return Found(ranking, rows_in, hits.strategy, hits.reason, hits.distance_computations, total)


def _described(query: RecordQuery) -> dict[str, str]:
    if isinstance(query, SparseQuery):
        return {"metric": query.metric.value, "indices": str(len(query.vector))}
    exact = {"exact": "true"} if query.exact else {}
    width = {} if query.width is None else {"hnsw_ef": str(query.width)}
    nprobe = {} if query.nprobe is None else {"nprobe": ",".join(map(str, query.nprobe))}
    return {"rows": str(len(query.vector.rows))} | exact | width | nprobe
