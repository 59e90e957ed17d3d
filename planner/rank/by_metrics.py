"""Scores of points by metrics that the query chooses: by one metric, or by a weighted sum of several."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial, reduce

import numpy as np
from numpy.typing import NDArray

from planner.errors import InvalidQuery
from planner.limits import MAX_EXAMPLES, MAX_WEIGHT
from planner.query import ByMetrics, Metric, QueryVector, VectorInput, WeightedMetric, Wide, metric_scores
from planner.rank.ranker import Ranker, Statistics
from planner.rank.ranking import Ranking, ranked
from planner.rank.run_context import RunContext
from planner.resolve import Asked, GivenVector, Unread, bind_vector, dense_space, kind_of_vector, space_of
from storage.budget import Budget
from storage.errors import LimitExceeded, NotFinite, ZeroVector
from storage.mvcc import Snapshot
from storage.schema import DenseSpace, Distance
from storage.write import check_vector

Slots = NDArray[np.uint32]

_FLOAT32_MAX = float(np.finfo(np.float32).max)


@dataclass(frozen=True, slots=True)
class MetricScore:
    """Scores of `metric` in `space` for a vector. Requires: it has as many components as the space."""

    space: str
    metric: Metric
    vector: QueryVector
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class InMetrics(Ranker):
    """The scores of one metric. If `composite`, the weighted sum of the scores of all terms.

    Requires: at least one term.
    """

    terms: tuple[MetricScore, ...]
    composite: bool

    @property
    def higher_is_better(self) -> bool:
        return self.composite or self.terms[0].metric.higher_is_better

    @property
    def name(self) -> str:
        return "rescore"

    @property
    def spaces(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(term.space for term in self.terms))

    @property
    def metric(self) -> Metric | None:
        return None if self.composite else self.terms[0].metric

    def describe(self) -> dict[str, str]:
        if self.composite:
            return {"composite": " ".join(map(_signed, self.terms))}
        [term] = self.terms
        return {"using": term.space, "metric": term.metric.value}

    def distances(self, ranked: int) -> int:
        return ranked * len(self.terms)

    def rank(
        self,
        slots: Slots,
        run: RunContext,
        lists: Sequence[Ranking] = (),
        limit: int | None = None,
        statistics: Statistics | None = None,
    ) -> tuple[Ranking, int]:
        """See Ranker. Scores are computed in float64 and rounded to float32 once."""
        columns: list[Wide] = []
        distances = 0
        for term in self.terms:
            held, column = _scores(term, slots, run.reader, run.budget)
            columns = [known[np.isin(slots, held, assume_unique=True)] for known in columns] + [column]
            slots, distances = held, distances + len(held)
        if self.composite:
            signs = (term.weight if term.metric.higher_is_better else -term.weight for term in self.terms)
            columns = [sign * column for sign, column in zip(signs, columns, strict=True)]
        total = reduce(np.add, columns)
        scores = np.clip(total, -_FLOAT32_MAX, _FLOAT32_MAX).astype(np.float32) + np.float32(0)  # -0.0 becomes 0.0
        return ranked(slots, scores, run.reader, higher_is_better=self.higher_is_better, limit=limit), distances


def _signed(term: MetricScore) -> str:
    """Such as `+ 0.7 cosine(text)`. The sign says whether the term is added to the score or subtracted."""
    added = term.metric.higher_is_better == (term.weight >= 0)
    return f"{'+' if added else '-'} {abs(term.weight):g} {term.metric.value}({term.space})"


def _scores(term: MetricScore, slots: Slots, reader: Snapshot, budget: Budget) -> tuple[Slots, Wide]:
    """Those of `slots` that have a vector, in their order, and their scores (n,)."""
    held, parts = [slots[:0]], [np.empty(0)]
    for some, rows in reader.rows(term.space).chunks(slots, budget):
        held.append(some)
        parts.append(metric_scores(term.metric, term.vector.values, rows))
    return np.concatenate(held), np.concatenate(parts)


def bind_metrics(rank: ByMetrics, asked: Asked) -> Unread[InMetrics]:
    """Binds a rank by metrics. Raises InvalidQuery, LimitExceeded, NotFinite, and what spaces and vectors may raise."""
    if asked.stage.using is not None:
        asked.space()
    where = f"{asked.path}query.rescore"
    if rank.metric is not None and rank.composite:
        raise InvalidQuery(f"{where}.composite", "a metric is given too; give either a metric or a composite")
    if rank.metric is None and not rank.composite:
        raise InvalidQuery(f"{where}.metric", "give a metric, or a composite of several")
    if len(rank.composite) > MAX_EXAMPLES:
        actual = len(rank.composite)
        raise LimitExceeded(f"{where}.composite", limit="MAX_EXAMPLES", maximum=MAX_EXAMPLES, actual=actual)
    if rank.metric is not None:
        if rank.vector is None:
            raise InvalidQuery(f"{where}.vector", "give a vector")
        terms = [_bind_term(rank.vector, *asked.dense_space(), WeightedMetric(rank.metric), f"{where}.vector")]
    else:
        terms = list(_bind_terms(rank, asked, where))
    composite = rank.metric is None
    return lambda reading: InMetrics(tuple(term(reading) for term in terms), composite)


def _bind_terms(rank: ByMetrics, asked: Asked, path: str) -> Iterator[Unread[MetricScore]]:
    for index, part in enumerate(rank.composite):
        where = f"{path}.composite[{index}]"
        if not math.isfinite(part.weight):
            raise NotFinite(f"{where}.weight", f"{part.weight} is not finite")
        if abs(part.weight) > MAX_WEIGHT:
            raise InvalidQuery(f"{where}.weight", f"{part.weight:g} is more than MAX_WEIGHT allows ({MAX_WEIGHT:g})")
        vector = rank.vector if part.vector is None else part.vector
        if vector is None:
            raise InvalidQuery(f"{where}.vector", "give a vector here, or one for the whole composite")
        field = f"{path}.vector" if part.vector is None else f"{where}.vector"
        yield _bind_term(vector, *_space_named(part, asked, f"{where}.using"), part, field)


def _space_named(part: WeightedMetric, asked: Asked, field: str) -> tuple[str, DenseSpace]:
    """The space that a term names, else the stage's space."""
    if part.using is None:
        return asked.dense_space()
    name = space_of(part.using, asked.schema, field)
    return name, dense_space(asked.schema, name, field)


def _bind_term(
    vector: VectorInput, name: str, space: DenseSpace, part: WeightedMetric, field: str
) -> Unread[MetricScore]:
    bound = bind_vector(vector, name, partial(_check, space, part.metric), field)
    return lambda reading: MetricScore(name, part.metric, bound(reading), part.weight)


def _check(space: DenseSpace, metric: Metric, vector: GivenVector, field: str) -> QueryVector:
    """The query vector. Components need not be binary.

    Raises InvalidQuery, EmptyVector, DimensionMismatch, NotFinite, ZeroVector.
    """
    if not isinstance(vector, QueryVector):
        what = f"a metric of the query's choice compares dense vectors, and the vector is {kind_of_vector(vector)}"
        raise InvalidQuery(field, what)
    check_vector(replace(space, distance=Distance.EUCLID), vector.values, field)
    if metric.needs_direction and not vector.values.any():
        raise ZeroVector(field)
    return vector
