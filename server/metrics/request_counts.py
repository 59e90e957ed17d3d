"""Counts requests when they end: by method, status and lane, their time, their bytes, and what their searches did.

Counting takes about a microsecond, since it is done for every request. It knows neither Prometheus nor gRPC.
"""

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from storage.histogram import Buckets, Histogram
from storage.meter import Meter

REQUEST_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Bounds of the histograms. Most searches take under a millisecond, and some imports minutes."""

MAX_STRATEGIES = 32
"""Strategies that are counted by name. What comes later is counted as OTHER."""

OTHER = "other"


class Ended(NamedTuple):
    """A request that has ended. `seconds` count from its arrival. `received` and `sent` are bytes of its messages."""

    method: str
    status: str
    lane: str
    seconds: float
    received: int
    sent: int
    meter: Meter | None


@dataclass(slots=True)
class _Tally:
    """The requests of one method in one lane."""

    statuses: Counter[str] = field(default_factory=Counter)
    seconds: Histogram = field(default_factory=lambda: Histogram(REQUEST_SECONDS))
    received: int = 0
    sent: int = 0


class Requests(NamedTuple):
    """The requests of one method in one lane so far."""

    method: str
    lane: str
    statuses: Mapping[str, int]
    seconds: Buckets
    received: int
    sent: int


class Searches(NamedTuple):
    """The searches of all requests so far: see Meter."""

    strategies: Mapping[str, int]
    rows_scanned: int
    graph_steps: int


class RequestCounts:
    """Safe for many threads. Methods, lanes and statuses are those of the server, so there are few of them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tallies: dict[tuple[str, str], _Tally] = {}
        self._strategies: Counter[str] = Counter()
        self._rows_scanned = 0
        self._graph_steps = 0

    def add(self, ended: Ended) -> None:
        """Counts a request."""
        with self._lock:
            tally = self._tallies.get((ended.method, ended.lane))
            if tally is None:
                tally = self._tallies[ended.method, ended.lane] = _Tally()
            tally.statuses[ended.status] += 1
            tally.seconds.add(ended.seconds)
            tally.received += ended.received
            tally.sent += ended.sent
            if ended.meter is not None:
                self._add_searches(ended.meter)

    def _add_searches(self, meter: Meter) -> None:
        for strategy, count in meter.searches.items():
            known = strategy in self._strategies or len(self._strategies) < MAX_STRATEGIES
            self._strategies[strategy if known else OTHER] += count
        self._rows_scanned += meter.rows_scanned
        self._graph_steps += meter.graph_steps

    def requests(self) -> list[Requests]:
        """The requests so far, by method and lane."""
        with self._lock:
            return [
                Requests(method, lane, dict(tally.statuses), tally.seconds.read(), tally.received, tally.sent)
                for (method, lane), tally in sorted(self._tallies.items())
            ]

    def searches(self) -> Searches:
        """The searches so far."""
        with self._lock:
            return Searches(dict(sorted(self._strategies.items())), self._rows_scanned, self._graph_steps)
