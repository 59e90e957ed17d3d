"""A request while its handler works: what is told about it when it ends. It does not say to whom."""

import time

from server.keys import EVERYTHING, Access
from server.lanes import Turn
from storage.meter import Meter


class Running:
    """One request to the RPC `method`. `given` is what gRPC passes: a turn, or bytes or a stream without lanes.

    `access` is what its caller may do, once that is known. `received` and `sent` are bytes of its messages; those of a
    stream are added as they pass.
    """

    __slots__ = ("_arrived", "_turn", "access", "meter", "method", "received", "sent", "started")

    def __init__(self, method: str, given: object) -> None:
        self.method = method
        self._turn = given if isinstance(given, Turn) else None
        self.started = time.perf_counter()
        self._arrived = time.monotonic() if self._turn is None else self._turn.arrived
        self.access: Access = EVERYTHING
        self.meter: Meter | None = None
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
