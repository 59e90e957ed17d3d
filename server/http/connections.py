"""Connections of HTTP, bounded: in number, and in the time in which one may send no request or read no answer."""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

MAX_CONNECTIONS = 1_024
"""Connections over HTTP at a time. A further one is closed at once."""
MAX_STILL_SECONDS = 20.0
"""Seconds in which a connection must have sent the head of a request, or have read something of its answer."""


class BoundedConnection(H11Protocol):
    """A connection. Uvicorn itself bounds only the time between two requests."""

    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """See asyncio.Protocol."""
        if len(self.connections) >= MAX_CONNECTIONS:
            transport.abort()
            return
        super().connection_made(transport)
        self._look_later()

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        if self._timer is None:
            return  # it was one too many
        self._timer.cancel()
        super().connection_lost(exc)

    def _look_later(self) -> None:
        seen = (self.cycle, self.transport.get_write_buffer_size())
        self._timer = self.loop.call_later(MAX_STILL_SECONDS, self._look, *seen)

    def _look(self, cycle: Any, unread: int) -> None:
        """Ends the connection if since the last look no request came and none was served, or nothing was read."""
        is_serving = self.cycle is not None and not self.cycle.response_complete
        if (self.cycle is cycle and not is_serving) or 0 < unread == self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            self._look_later()
