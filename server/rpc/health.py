"""Standard gRPC health: SERVING means ready. A stop tells the watchers and does not wait for them.

Watchers are told at the same time, so a watcher that reads nothing delays no other. No lock is held while a message is
sent. The reason: gRPC reports a sent message on the thread that also runs the callbacks of ended calls. If such a
callback waited for a lock that a sender holds, the server would not answer any more calls.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import grpc
from grpc_health.v1.health import OVERALL_HEALTH
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse, HealthListResponse

Status = int
"""A number of HealthCheckResponse.ServingStatus."""
SendResponse = Callable[[HealthCheckResponse | None], Any]

MAX_TELLERS = 32
"""Watchers that are told at a time. Each takes a moment, unless its client reads nothing."""

STOP_SECONDS = 1.0
"""How long a stop waits until its watchers are told. It does not wait longer for clients that read nothing."""


class Health:
    """Health of the server ("") and of its services. NOT_SERVING until `ready`."""

    def __init__(self, services: Iterable[str]) -> None:
        self._services = frozenset((OVERALL_HEALTH, *services))
        self._status: Status = HealthCheckResponse.NOT_SERVING
        self._watchers: set[_Watcher] = set()
        self._lock = threading.Lock()

    @property
    def is_ready(self) -> bool:
        """Whether requests are served."""
        return bool(self._status == HealthCheckResponse.SERVING)

    def ready(self) -> None:
        """Says that requests are served."""
        self._tell(HealthCheckResponse.SERVING)

    def not_ready(self) -> None:
        """Says that requests are not served at the moment."""
        self._tell(HealthCheckResponse.NOT_SERVING)

    def stop(self) -> None:
        """Says that requests are no longer served, and ends every Watch: a stop with grace waits for open calls."""
        self._tell(HealthCheckResponse.NOT_SERVING, last=True)

    def Check(self, request: HealthCheckRequest, context: grpc.ServicerContext) -> HealthCheckResponse:  # noqa: N802
        """The status of a service. Ends with NOT_FOUND if there is none of this name."""
        if request.service not in self._services:
            context.set_code(grpc.StatusCode.NOT_FOUND)
            return HealthCheckResponse()
        return HealthCheckResponse(status=self._status)

    def List(self, request: object, context: grpc.ServicerContext) -> HealthListResponse:  # noqa: N802
        """The status of every service."""
        return HealthListResponse(statuses=dict.fromkeys(self._services, HealthCheckResponse(status=self._status)))

    def Watch(  # noqa: N802  # the name that gRPC calls
        self,
        request: HealthCheckRequest,
        context: grpc.ServicerContext,
        send_response_callback: SendResponse | None = None,
    ) -> None:
        """Sends the status and every change of it, without keeping a thread."""
        assert send_response_callback is not None, "non-blocking"
        watcher = _Watcher(lambda: self._status_of(request.service), send_response_callback)
        with self._lock:
            self._watchers.add(watcher)
        if context.add_callback(lambda: self._forget(watcher)):
            watcher.tell()
        else:
            self._forget(watcher)

    Watch.experimental_non_blocking = True  # type: ignore[attr-defined]
    Watch.experimental_thread_pool = None  # type: ignore[attr-defined]

    def _status_of(self, service: str) -> Status:
        return self._status if service in self._services else HealthCheckResponse.SERVICE_UNKNOWN

    def _forget(self, watcher: "_Watcher") -> None:
        with self._lock:
            self._watchers.discard(watcher)

    def _tell(self, status: Status, *, last: bool = False) -> None:
        """Sets the status and sends it to all watchers.

        With `last` their calls end, and slow watchers are not waited for.
        """
        with self._lock:
            self._status = status
            watchers = list(self._watchers)
        _side_by_side([watcher.tell_last if last else watcher.tell for watcher in watchers], STOP_SECONDS)


class _Watcher:
    """One Watch call. It gets the changes in order."""

    def __init__(self, status: Callable[[], Status], send: SendResponse) -> None:
        self._status = status
        self._send = send
        self._told: Status | None = None
        self._sending = threading.Lock()

    def tell(self) -> None:
        """Sends the status, unless it was sent last time."""
        with self._sending:
            status = self._status()
            if status != self._told:
                self._told = status
                self._send(HealthCheckResponse(status=status))

    def tell_last(self) -> None:
        """Sends the status and ends the call."""
        self.tell()
        self._send(None)


def _side_by_side(works: Sequence[Callable[[], None]], seconds: float) -> None:
    """Runs all `works`, MAX_TELLERS at a time. Returns when they are done or after `seconds`; the rest goes on."""
    waiting = deque(works)

    def run() -> None:
        while True:
            try:
                work = waiting.popleft()
            except IndexError:
                return
            work()

    end = time.monotonic() + seconds
    threads = [threading.Thread(target=run, name="health", daemon=True) for _ in range(min(MAX_TELLERS, len(works)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
