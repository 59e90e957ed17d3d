"""What happened while a plan ran. It is kept only if an explanation is asked for.

explain/explanation.py shows it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import assert_never

from planner.plan import (
    After,
    ConvertScores,
    Diversify,
    Empty,
    FuseRanks,
    FuseScores,
    Gate,
    Limit,
    Node,
    RankAll,
    Rerank,
    Restrict,
    Scan,
    Search,
    Threshold,
)
from planner.rank import Ranking


def operator_of(node: Node) -> str:
    """The name of the operator that users see."""
    match node:
        case Search():
            return node.ranker.search_name
        case Scan():
            return "scan"
        case Empty():
            return "empty"
        case FuseRanks():
            return "rrf"
        case FuseScores():
            return "dbsf"
        case RankAll() | Rerank():
            return node.ranker.name
        case Diversify():
            return "diversify"
        case Restrict():
            return "restrict"
        case Gate():
            return "gate"
        case Threshold():
            return "threshold"
        case After():
            return "search_after"
        case Limit():
            return "limit"
        case ConvertScores():
            return "convert"
    assert_never(node)


@dataclass(frozen=True, slots=True, kw_only=True)
class Actual:
    """What one operator did. `rows_in` of a leaf is the number of points it could find; None if they were not counted.

    `microseconds` are the operator's own, without its inputs. Leaves run together, and each gets an equal share.
    `conditions` says what tested the conditions of its filters. `attributes` are facts by name that only a run knows.
    """

    rows_in: int | None
    rows_out: int
    distance_computations: int = 0
    microseconds: int = 0
    strategy: str = ""
    reason: str = ""
    conditions: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Trace:
    """Filled by one run of one plan: what each operator did and emitted, and the list that each stage ended with.

    `in_full`: also what tested the conditions of filters, and numbers of the collection, which take time to find.
    """

    in_full: bool = True
    actuals: dict[tuple[str, str], Actual] = field(default_factory=dict)
    lists: dict[str, Ranking] = field(default_factory=dict)
    emitted: dict[tuple[str, str], Ranking] = field(default_factory=dict)

    def record(self, node: Node, actual: Actual, ranking: Ranking) -> None:
        """Requires: inputs are recorded before the nodes that use them, so the last node of a stage is its result."""
        self.actuals[node.stage, operator_of(node)] = actual
        self.lists[node.stage] = ranking
        self.emitted[node.stage, operator_of(node)] = ranking

    def actual_of(self, node: Node) -> Actual:
        return self.actuals[node.stage, operator_of(node)]
