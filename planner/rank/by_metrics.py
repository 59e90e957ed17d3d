"""Scores of points under metrics that the query chooses: one metric's own, or a weighted sum of several."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from planner.query import Metric, QueryVector, Wide, metric_scores
from planner.rank.ranker import Ranker, Statistics
from planner.rank.ranking import Ranking, ranked
from planner.rank.run_context import RunContext
from storage.budget import Budget
from storage.mvcc import Snapshot

Slots = NDArray[np.uint32]

_FLOAT32_MAX = float(np.finfo(np.float32).max)


@dataclass(frozen=True, slots=True)
class MetricScore:
    """Scores of `metric` in `space` for a vector of as many components."""

    space: str
    metric: Metric
    vector: QueryVector
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class InMetrics(Ranker):
    """The scores of one metric; or if `composite`, those of all terms in one weighted sum. Requires: a term."""

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
        """Computed in float64 and rounded to float32 once."""
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
    """Such as `+ 0.7 cosine(text)`: what is added to the score, and what is taken from it."""
    added = term.metric.higher_is_better == (term.weight >= 0)
    return f"{'+' if added else '-'} {abs(term.weight):g} {term.metric.value}({term.space})"


def _scores(term: MetricScore, slots: Slots, reader: Snapshot, budget: Budget) -> tuple[Slots, Wide]:
    """Those of `slots` that have a vector, in their order, and their scores."""
    held, parts = [slots[:0]], [np.empty(0)]
    for some, rows in reader.vector_chunks(term.space, slots, budget):
        held.append(some)
        parts.append(metric_scores(term.metric, term.vector.values, rows))
    return np.concatenate(held), np.concatenate(parts)
