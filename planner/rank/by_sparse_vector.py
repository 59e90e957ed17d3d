"""Nearness to a sparse vector. storage/search/sparse.py searches and scores."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from planner.query import VectorInput
from planner.rank.ranker import Found, Slots, Statistics
from planner.rank.ranking import Ranking
from planner.rank.run_context import RunContext
from planner.rank.searcher import Searcher, SearchRequest, found_by_storage
from planner.resolve import Asked, GivenVector, Unread, bind_vector, wrong_kind
from storage.schema import Distance, SparseModifier, SparseSpace
from storage.search import SparseQuery, count_sparse, score_sparse, search_sparse
from storage.vectors import SparseCounts, SparseMetric, SparseVector, check_sparse_query


@dataclass(frozen=True, slots=True)
class InSparse(Searcher):
    """Nearness in a sparse space. Points that share no index with the query are not found."""

    query: SparseQuery
    space: str
    by_frequency: bool
    """Whether the space gives more weight to an index that fewer points have."""

    @property
    def name(self) -> str:
        return "sparse"

    @property
    def spaces(self) -> tuple[str, ...]:
        return (self.space,)

    @property
    def metric(self) -> Distance:
        # The conversion of Cosine is 1 - s, which also fits other ratios; the conversion of Dot is -s.
        return Distance.DOT if self.query.metric is SparseMetric.DOT else Distance.COSINE

    def describe(self) -> dict[str, str]:
        return {"using": self.space, "metric": self.query.metric.value, "indices": str(len(self.query.vector))}

    def no_rank(self) -> str:
        return f"it shares no index with the query in {self.space!r}"

    @property
    def needs_statistics(self) -> bool:
        return self.by_frequency

    def statistics(self, run: RunContext, *, in_full: bool = False) -> SparseCounts | None:
        return count_sparse(run.reader, self.space, self.query, run.budget) if self.by_frequency else None

    def rank(
        self,
        slots: Slots,
        run: RunContext,
        lists: Sequence[Ranking] = (),
        limit: int | None = None,
        statistics: Statistics | None = None,
    ) -> tuple[Ranking, int]:
        counts = statistics if isinstance(statistics, SparseCounts) else None
        hits = score_sparse(run.reader, self.space, slots, self.query, run.budget, counts)
        return Ranking(hits.slots, hits.scores), hits.distance_computations

    def search(self, request: SearchRequest, run: RunContext) -> Found:
        allowed = request.allowed_slots
        counts = request.statistics if isinstance(request.statistics, SparseCounts) else None
        hits = search_sparse(run.reader, self.space, self.query, request.reach, allowed, run.budget, counts)
        rows_in = run.reader.vector_count(self.space) if allowed is None else len(allowed)
        return found_by_storage(hits, request, rows_in)


def bind_sparse(vector: VectorInput, asked: Asked, name: str, space: SparseSpace, field: str) -> Unread[InSparse]:
    """Nearness to the vector at `field` of the request, in the space `name`. Raises what vectors may raise."""
    bound = bind_vector(vector, name, partial(_query, asked, name), field)
    by_frequency = space.modifier is not SparseModifier.NONE
    return lambda reading: InSparse(bound(reading), name, by_frequency)


def _query(asked: Asked, name: str, vector: GivenVector, field: str) -> SparseQuery:
    """The query of a sparse space. Raises what is wrong with the vector."""
    if not isinstance(vector, SparseVector):
        raise wrong_kind(asked.schema, name, vector, field)
    metric = asked.stage.params.sparse_metric or SparseMetric.DOT
    check_sparse_query(vector, metric, field)
    return SparseQuery(vector, metric)
