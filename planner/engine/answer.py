"""The answer to one query. It does not say how it was found."""

from collections.abc import Sequence
from dataclasses import dataclass

from planner.execute import Hit
from planner.explain import Explanation


@dataclass(frozen=True, slots=True)
class QueryAnswer:
    """Hits, best first, the commit that was read, and how it ran if `Query.explain` is set.

    `total` is how many points the query ranks, whatever its limit; None if that is not known.
    """

    hits: Sequence[Hit]
    seq: int
    total: int | None = None
    explanation: Explanation | None = None
