"""Nearness to a multi-vector by MaxSim. storage/search/multi.py searches and scores."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Self

from planner.query import QueryVector, VectorInput
from planner.rank.ranker import Found, Slots, Statistics
from planner.rank.ranking import Ranking
from planner.rank.run_context import RunContext
from planner.rank.searcher import Searcher, SearchRequest, found_by_storage
from planner.resolve import Asked, GivenVector, Unread, bind_vector, wrong_kind
from storage.schema import Distance, MultiSpace
from storage.search import MultiQuery, score_multi, search_multi
from storage.vectors import MultiVector, SparseVector, check_multi_query
from storage.write import check_query_vector


@dataclass(frozen=True, slots=True)
class InMulti(Searcher):
    """Nearness in a space of multi-vectors."""

    query: MultiQuery
    space: str

    @property
    def name(self) -> str:
        return "max_sim"

    @property
    def is_exact(self) -> bool:
        return self.query.is_exact

    @property
    def spaces(self) -> tuple[str, ...]:
        return (self.space,)

    @property
    def metric(self) -> Distance:
        return Distance.DOT

    def describe(self) -> dict[str, str]:
        query = self.query
        exact = {"exact": "true"} if query.exact else {}
        width = {} if query.width is None else {"hnsw_ef": str(query.width)}
        nprobe = {} if query.nprobe is None else {"nprobe": ",".join(map(str, query.nprobe))}
        return {"using": self.space, "rows": str(len(query.vector.rows))} | exact | width | nprobe

    def ground_truth(self) -> Self:
        return replace(self, query=MultiQuery(self.query.vector, exact=True))

    def rank(
        self,
        slots: Slots,
        run: RunContext,
        lists: Sequence[Ranking] = (),
        limit: int | None = None,
        statistics: Statistics | None = None,
    ) -> tuple[Ranking, int]:
        hits = score_multi(run.reader, self.space, slots, self.query, run.budget)
        return Ranking(hits.slots, hits.scores), hits.distance_computations

    def search(self, request: SearchRequest, run: RunContext) -> Found:
        allowed = request.allowed_slots
        hits = search_multi(run.reader, self.space, self.query, request.reach, allowed, run.budget)
        rows_in = run.reader.vector_count(self.space) if allowed is None else len(allowed)
        return found_by_storage(hits, request, rows_in)


def bind_multi(vector: VectorInput, asked: Asked, name: str, space: MultiSpace, field: str) -> Unread[InMulti]:
    """Nearness to the vector at `field` of the request, in the space `name`. Raises what vectors may raise."""
    bound = bind_vector(vector, name, partial(_query, asked, name, space), field)
    return lambda reading: InMulti(bound(reading), name)


def _query(asked: Asked, name: str, space: MultiSpace, vector: GivenVector, field: str) -> MultiQuery:
    """The query of a multi-vector space. A dense vector becomes a matrix of one row.

    Raises what is wrong with the vector.
    """
    match vector:
        case MultiVector():
            check_multi_query(space.tokens, vector, field)
            matrix = vector
        case QueryVector():
            check_query_vector(space.tokens, vector.values, field)
            matrix = MultiVector(vector.values[None, :])
        case SparseVector():
            raise wrong_kind(asked.schema, name, vector, field)
    params = asked.stage.params
    exact = params.exact or asked.stage.search_after is not None  # graphs nominate only a limited number of candidates
    return MultiQuery(matrix, exact, params.hnsw_ef, params.ivf_nprobe)
