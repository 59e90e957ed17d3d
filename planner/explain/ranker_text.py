"""Arguments of the ways to rank as short text by name, for plans that people read.

Filters are in query/filter_text.py.
"""

import json
from typing import assert_never

from planner.bind import (
    AtRandom,
    BoundContext,
    BoundDiscover,
    BoundExamples,
    BoundRecommend,
    ByField,
    ByFormula,
    ByText,
    InMetrics,
    InRecords,
    InSpace,
    MetricScore,
    Ranker,
)
from planner.query import describe_formula
from planner.rank import describe_text
from storage.search import RecordQuery, SparseQuery


def describe_ranker(ranker: Ranker) -> dict[str, str]:
    """Such as `path` and `direction`."""
    match ranker:
        case ByField(start=begins):
            start = {} if begins is None else {"start_from": json.dumps(begins.value, ensure_ascii=False)}
            return {"path": ranker.path, "direction": "descending" if ranker.descending else "ascending"} | start
        case AtRandom(seed=seed):
            return {"seed": str(seed)}
        case InSpace(rank, space, distance):
            return _examples(rank) | {"using": space, "distance": distance.value}
        case InMetrics(composite=False, terms=(term,)):
            return {"using": term.space, "metric": term.metric.value}
        case InMetrics(terms=terms):
            return {"composite": " ".join(map(_signed, terms))}
        case ByFormula(formula=formula):
            return describe_formula(formula)
        case InRecords(query, space):
            return {"using": space} | _vector(query)
        case ByText():
            return describe_text(ranker)
    assert_never(ranker)


def _signed(term: MetricScore) -> str:
    """Such as `+ 0.7 cosine(text)`: what is added to the score, and what is taken from it."""
    added = term.metric.higher_is_better == (term.weight >= 0)
    return f"{'+' if added else '-'} {abs(term.weight):g} {term.metric.value}({term.space})"


def _vector(query: RecordQuery) -> dict[str, str]:
    if isinstance(query, SparseQuery):
        return {"metric": query.metric.value, "indices": str(len(query.vector))}
    exact = {"exact": "true"} if query.exact else {}
    width = {} if query.width is None else {"hnsw_ef": str(query.width)}
    nprobe = {} if query.nprobe is None else {"nprobe": ",".join(map(str, query.nprobe))}
    return {"rows": str(len(query.vector.rows))} | exact | width | nprobe


def _examples(rank: BoundExamples) -> dict[str, str]:
    match rank:
        case BoundRecommend():
            return {
                "strategy": rank.strategy.value,
                "positive": str(len(rank.positive)),
                "negative": str(len(rank.negative)),
            }
        case BoundDiscover() | BoundContext():
            return {"pairs": str(len(rank.pairs))}
    assert_never(rank)
