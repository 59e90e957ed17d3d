"""Arguments of the ways to rank as short text by name, for plans that people read. Filters are in describe.py."""

import json
from typing import assert_never

from planner.query import Context, Discover, OrderBy, Recommend, Sample
from planner.ranks.ranker import InSpace, Ranker


def describe_ranker(ranker: Ranker) -> dict[str, str]:
    """Such as `path` and `direction`."""
    match ranker:
        case OrderBy():
            start = (
                {} if ranker.start_from is None else {"start_from": json.dumps(ranker.start_from, ensure_ascii=False)}
            )
            return {"path": ranker.path, "direction": "descending" if ranker.descending else "ascending"} | start
        case Sample(seed=seed):
            return {"seed": str(seed)}
        case InSpace(rank, space, distance):
            return _examples(rank) | {"using": space, "distance": distance.value}
    assert_never(ranker)


def _examples(rank: Recommend | Discover | Context) -> dict[str, str]:
    match rank:
        case Recommend():
            return {
                "strategy": rank.strategy.value,
                "positive": str(len(rank.positive)),
                "negative": str(len(rank.negative)),
            }
        case Discover() | Context():
            return {"pairs": str(len(rank.pairs))}
    assert_never(rank)
