"""A request while its handler works: what is told about it when it ends. It does not say to whom."""

import time
from typing import Any

from planner.explain import Run
from server.keys import EVERYTHING, Access
from server.lanes import Turn
from storage.meter import Meter

MAX_RUNS = 8
"""Runs of queries that are kept of one request."""


class Running:
    """One request to the RPC `method`. `given` is what gRPC passes: a turn, or bytes or a stream without lanes.

    `access` is what its caller may do, once that is known. `received` and `sent` are bytes of its messages; those of a
    stream are added as they pass. `span` is that of a trace, if there is one. It is the watcher of the request's budget
    (storage.budget.Watcher), and keeps `runs`.
    """

    __slots__ = (
        "_arrived",
        "_slow_ms",
        "_turn",
        "access",
        "meter",
        "method",
        "received",
        "runs",
        "sent",
        "span",
        "started",
    )

    def __init__(self, method: str, given: object, *, slow_ms: float = 0.0, span: Any = None) -> None:
        """A request is slow that works for `slow_ms`; 0: none is."""
        self.method = method
        self._turn = given if isinstance(given, Turn) else None
        self.started = time.perf_counter()
        self._arrived = time.monotonic() if self._turn is None else self._turn.arrived
        self.access: Access = EVERYTHING
        self._slow_ms = slow_ms
        self.span = span
        self.meter: Meter | None = None
        self.runs: list[Run] = []
        self.received = 0 if self._turn is None else self._turn.size
        self.sent = 0

    @property
    def lane(self) -> str:
        """The lane in which it works now; empty without lanes."""
        return "" if self._turn is None else self._turn.lane.name

    def seconds(self) -> float:
        """Since it arrived."""
        return time.monotonic() - self._arrived

    def milliseconds_of_work(self) -> float:
        """Since its handler began."""
        return (time.perf_counter() - self.started) * 1e3

    @property
    def traces(self) -> bool:
        """See Watcher."""
        return self.span is not None

    def is_slow(self) -> bool:
        """See Watcher."""
        return 0 < self._slow_ms <= self.milliseconds_of_work()

    def ran(self, run: Any) -> None:
        """See Watcher."""
        if len(self.runs) < MAX_RUNS:
            self.runs.append(run)
