"""Bounds how many messages of one caller are received at a time. Other calls have sent only their headers.

gRPC keeps in memory what it has received of a message, and does not tell how much that is. So the number of messages is
bounded: a caller that begins many large messages and ends none cannot fill the memory.
"""

import time
from collections import OrderedDict
from typing import Protocol

MAX_RECEIVING = 16
"""Messages of one connection that are received at a time. Small messages are there before the server asks for them."""

MAX_MESSAGE_SECONDS = 120.0
"""If another call of the connection waits, a message that takes longer is given up."""


class Arrival(Protocol):
    """A call whose message has not come yet."""

    def receive(self) -> bool:
        """Asks for the message. False: the call is over.

        `Arrivals.ended` is called later, whether or not the message came.
        """

    def give_up(self) -> None:
        """Ends the call, because its message takes too long."""


class Arrivals:
    """The arrivals of all callers. Only one thread may use it: the one in which gRPC reports events."""

    def __init__(self) -> None:
        self._receiving: dict[str, OrderedDict[Arrival, float]] = {}
        self._waiting: dict[str, OrderedDict[Arrival, None]] = {}

    def start(self, caller: str, arrival: Arrival) -> bool:
        """Receives the message of a call now, or when its turn comes. Returns whether it is received now."""
        receiving = self._receiving.get(caller)
        if receiving is None or len(receiving) < MAX_RECEIVING:
            return self._receive(caller, arrival)
        self._waiting.setdefault(caller, OrderedDict())[arrival] = None
        oldest = next(iter(receiving))
        if time.monotonic() - receiving[oldest] > MAX_MESSAGE_SECONDS:
            receiving.move_to_end(oldest)  # it ends later, and must be given up only once
            receiving[oldest] = float("inf")
            oldest.give_up()
        return False

    def ended(self, caller: str, arrival: Arrival) -> None:
        """The message of a call has come, or the call is over. May be called twice."""
        waiting = self._waiting.get(caller)
        if waiting is not None and arrival in waiting:
            del waiting[arrival]
            if not waiting:
                del self._waiting[caller]
        receiving = self._receiving.get(caller)
        if receiving is None or receiving.pop(arrival, None) is None:
            return
        if not receiving:
            del self._receiving[caller]
        while (waiting := self._waiting.get(caller)) is not None:
            following, _ = waiting.popitem(last=False)
            if not waiting:
                del self._waiting[caller]
            if self._receive(caller, following):
                return

    def _receive(self, caller: str, arrival: Arrival) -> bool:
        if not arrival.receive():
            return False
        self._receiving.setdefault(caller, OrderedDict())[arrival] = time.monotonic()
        return True
