"""Running plans: the leaves of all queries of a batch together, then the operators above them, then what hits hold."""

from planner.execute.demand import Demand
from planner.execute.executor import Outcome, execute, run
from planner.execute.fetch_highlights import count_highlights
from planner.execute.fetched_columns import (
    FetchedColumns,
    are_columns,
    read_repeated_columns,
    read_some_columns,
)
from planner.execute.fetching import (
    POINT_BYTES,
    POINT_OVERHEAD,
    Fetched,
    StoredValue,
    fetch,
    fetch_repeated,
    fetch_some,
)
from planner.execute.hits import Hit, HitColumns, fetch_columns
from planner.execute.least_reply import check_least_reply
from planner.execute.local_source import Indexes, LocalSource
from planner.execute.operators import convert_scores
from planner.execute.source import Inspection, Points, Source, Values
from planner.execute.trace import Actual, Trace, operator_of

__all__ = [
    "POINT_BYTES",
    "POINT_OVERHEAD",
    "Actual",
    "Demand",
    "Fetched",
    "FetchedColumns",
    "Hit",
    "HitColumns",
    "Indexes",
    "Inspection",
    "LocalSource",
    "Outcome",
    "Points",
    "Source",
    "StoredValue",
    "Trace",
    "Values",
    "are_columns",
    "check_least_reply",
    "convert_scores",
    "count_highlights",
    "execute",
    "fetch",
    "fetch_columns",
    "fetch_repeated",
    "fetch_some",
    "operator_of",
    "read_repeated_columns",
    "read_some_columns",
    "run",
]
