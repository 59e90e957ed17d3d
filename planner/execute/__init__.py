"""Running plans: the leaves of all queries of a batch together, then the operators above them, then what hits hold."""

from planner.execute.executor import execute, run
from planner.execute.fetch_highlights import highlights_of_points
from planner.execute.fetching import (
    POINT_BYTES,
    Fetched,
    StoredValue,
    fetch,
    fetch_repeated,
    fetch_some,
)
from planner.execute.leaves import Demand
from planner.execute.trace import Actual, Trace, operator_of

__all__ = [
    "POINT_BYTES",
    "Actual",
    "Demand",
    "Fetched",
    "StoredValue",
    "Trace",
    "execute",
    "fetch",
    "fetch_repeated",
    "fetch_some",
    "highlights_of_points",
    "operator_of",
    "run",
]
