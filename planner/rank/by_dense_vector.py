"""Nearness to a dense vector. storage/search/dense.py searches and scores."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Self

import numpy as np
from numpy.typing import NDArray

from planner.query import FilterStrategy, QueryVector, SearchParams, VectorInput
from planner.rank.ranker import Found, Slots, Statistics
from planner.rank.ranking import Place, Ranking
from planner.rank.run_context import RunContext
from planner.rank.searcher import Searcher, SearchRequest
from planner.resolve import Asked, Unread, bind_vector, check_dense
from storage.mvcc import Snapshot
from storage.schema import DenseSpace, Distance, IndexKind
from storage.search import SpaceHits, SpaceSearch, score_vectors, search_vectors
from storage.tables import encode_id
from storage.vectors import Position, score_rows


@dataclass(frozen=True, slots=True)
class InDense(Searcher):
    """Nearness in a dense space, by its own metric. Requires: the vector has as many components as the space."""

    space: str
    distance: Distance
    vector: QueryVector
    params: SearchParams

    @property
    def name(self) -> str:
        return "rescore"

    @property
    def search_name(self) -> str:
        return "search"

    @property
    def higher_is_better(self) -> bool:
        return self.distance.higher_is_better

    @property
    def is_exact(self) -> bool:
        return self.params.exact

    @property
    def goes_on(self) -> bool:
        return True

    @property
    def finds_all_at_once(self) -> bool:
        return False

    @property
    def indexed_only(self) -> bool:
        return self.params.indexed_only

    @property
    def spaces(self) -> tuple[str, ...]:
        return (self.space,)

    @property
    def metric(self) -> Distance:
        return self.distance

    def describe(self) -> dict[str, str]:
        return {"using": self.space, "distance": self.distance.value}

    def settings(self) -> dict[str, str]:
        params = self.params
        settings = {} if params.hnsw_ef is None else {"hnsw_ef": str(params.hnsw_ef)}
        if params.ivf_nprobe is not None:
            settings["ivf_nprobe"] = ", ".join(map(str, params.ivf_nprobe))
        if params.exact:
            settings["exact"] = "true"
        if params.indexed_only:
            settings["indexed_only"] = "true"
        if params.filter_strategy is not FilterStrategy.AUTO:
            settings["filter_strategy"] = params.filter_strategy.value
        if not params.rescore:
            settings["rescore"] = "false"
        if params.oversampling is not None:
            settings["oversampling"] = f"{params.oversampling:g}"
        return settings

    def exactly(self) -> Self:
        return replace(self, params=replace(self.params, exact=True))

    def ground_truth(self) -> Self:
        return replace(self, params=SearchParams(exact=True))

    def certain_hits(self, reader: Snapshot) -> int:
        """All points with a vector; 0 if points without an index are left out, or if some lists are not read."""
        is_ivf = reader.schema.dense[self.space].index is IndexKind.IVF
        return 0 if self.indexed_only or (is_ivf and not self.is_exact) else reader.vector_count(self.space)

    def distances(self, ranked: int) -> int:
        return ranked

    def rank(
        self,
        slots: Slots,
        run: RunContext,
        lists: Sequence[Ranking] = (),
        limit: int | None = None,
        statistics: Statistics | None = None,
    ) -> tuple[Ranking, int]:
        hits = score_vectors(run.reader, self.space, slots, self.vector.values, run.budget)
        return Ranking(hits.slots, hits.scores), len(hits.slots)

    def places(
        self, allowed: Slots | None, excluded: NDArray[np.int64], wanted: Sequence[int], run: RunContext
    ) -> dict[int, Place]:
        """Counts the points that come before each, so that no ranking of all points is held in memory."""
        held = run.reader.slots_with_vector(self.space)
        competing = held if allowed is None else np.intersect1d(held, allowed, assume_unique=True)
        return _places(self, competing[~np.isin(competing, excluded)], wanted, run)

    def search(self, request: SearchRequest, run: RunContext) -> Found:
        return self.search_together([(self, request)], run)[0]

    def space_search(self, request: SearchRequest) -> SpaceSearch:
        """The search of storage that answers `request`."""
        return _space_search(self, request)

    @classmethod
    def search_together(cls, searches: Sequence[tuple[Self, SearchRequest]], run: RunContext) -> list[Found]:
        """Searches of one space with equal settings run as one scan."""
        asked = [_space_search(searcher, request) for searcher, request in searches]
        answers = search_vectors(run.reader, asked, run.budget)
        return [_found(*search, hits, run.reader) for search, hits in zip(searches, answers, strict=True)]


def _places(by: InDense, competing: Slots, wanted: Sequence[int], run: RunContext) -> dict[int, Place]:
    """A point's rank is one more than the number of better points: by score, or by id where scores are equal."""
    reader, budget = run.reader, run.budget
    scored = [_scored(by, chunk) for chunk in reader.rows(by.space).chunks(np.array(wanted, np.uint32), budget)]
    scores = {
        slot: score for slots, found in scored for slot, score in zip(slots.tolist(), found.tolist(), strict=True)
    }
    keys = dict(zip(scores, reader.id_keys(np.array(list(scores), np.uint32)), strict=True))
    ahead, equal = dict.fromkeys(scores.values(), 0), dict[float, list[bytes]]()
    for chunk in reader.rows(by.space).chunks(competing, budget):
        slots, found = _scored(by, chunk)
        for score in ahead:  # each score once, however many points have it
            budget.check()
            better = found > score if by.higher_is_better else found < score
            ahead[score] += int(np.count_nonzero(better))
            equal.setdefault(score, []).extend(reader.id_keys(slots[found == score]))
    before = {score: sorted(tied) for score, tied in equal.items()}
    return {
        slot: Place(ahead[score] + bisect_left(before[score], keys[slot]) + 1, score, len(competing))
        for slot, score in scores.items()
    }


def _scored(by: InDense, chunk: tuple[Slots, NDArray[np.float32]]) -> tuple[Slots, NDArray[np.float32]]:
    slots, rows = chunk
    return slots, score_rows(by.distance, by.vector.values, rows)


def _space_search(by: InDense, request: SearchRequest) -> SpaceSearch:
    params, after = by.params, request.after
    return SpaceSearch(
        space=by.space,
        vector=by.vector.values,
        limit=request.reach,
        allowed=request.allowed,
        hnsw_ef=params.hnsw_ef,
        exact=params.exact,
        indexed_only=params.indexed_only,
        filter_strategy=params.filter_strategy.value,
        rescore=params.rescore,
        oversampling=params.oversampling,
        nprobe=params.ivf_nprobe,
        after=None if after is None else Position(np.float32(after.score), encode_id(after.id)),
    )


def _found(by: InDense, request: SearchRequest, hits: SpaceHits, reader: Snapshot) -> Found:
    ranking = request.kept(Ranking(hits.slots, hits.scores))
    rows_in = reader.spaces[by.space].vector_count if request.allowed is None else len(request.allowed)
    total = None if hits.total is None else hits.total - _excluded_count(by, request, reader)
    return Found(ranking, rows_in, hits.strategy, hits.reason, hits.distance_computations, total)


def _excluded_count(by: InDense, request: SearchRequest, reader: Snapshot) -> int:
    """How many of the excluded points the search could find."""
    if not len(request.excluded):
        return 0
    slots = request.excluded[request.excluded >= 0].astype(np.uint32)
    slots = slots if request.allowed is None else slots[np.isin(slots, request.allowed.slots)]
    return int(np.count_nonzero(reader.vectors(by.space, slots)[0]))


def bind_dense(vector: VectorInput, asked: Asked, name: str, space: DenseSpace, field: str) -> Unread[InDense]:
    """Nearness to the vector at `field` of the request, in the space `name`. Raises what vectors may raise."""
    bound = bind_vector(vector, name, partial(check_dense, space), field)
    params = asked.stage.params
    return lambda reading: InDense(name, space.distance, bound(reading), params)
