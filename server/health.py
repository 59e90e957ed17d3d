"""Standard gRPC health: SERVING means ready. A stop is told to watchers, and then does not wait for them.

No lock is held while something is sent: gRPC tells of a sent message by the same thread that runs the callbacks of
ended calls. If such a callback waited for a lock that a sender holds, no call of the server would be answered any more.
"""

import threading
from collections.abc import Callable, Iterable
from typing import Any

import grpc
from grpc_health.v1.health import OVERALL_HEALTH
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse, HealthListResponse

Status = int
"""A number of HealthCheckResponse.ServingStatus."""
SendResponse = Callable[[HealthCheckResponse | None], Any]


class Health:
    """Health of the server ("") and of its services. NOT_SERVING until `ready`."""

    def __init__(self, services: Iterable[str]) -> None:
        self._services = frozenset((OVERALL_HEALTH, *services))
        self._status: Status = HealthCheckResponse.NOT_SERVING
        self._watchers: set[_Watcher] = set()
        self._lock = threading.Lock()

    def ready(self) -> None:
        """Says that requests are served."""
        self._tell(HealthCheckResponse.SERVING)

    def not_ready(self) -> None:
        """Says that requests are not served, for now."""
        self._tell(HealthCheckResponse.NOT_SERVING)

    def stop(self) -> None:
        """Says that requests are no longer served, and ends every Watch: a stop with grace waits for open calls."""
        for watcher in self._tell(HealthCheckResponse.NOT_SERVING):
            watcher.end()

    def Check(self, request: HealthCheckRequest, context: grpc.ServicerContext) -> HealthCheckResponse:  # noqa: N802
        """The status of a service; NOT_FOUND when there is none of this name."""
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

    def _tell(self, status: Status) -> "list[_Watcher]":
        """Sets the status and tells it; returns whom."""
        with self._lock:
            self._status = status
            watchers = list(self._watchers)
        for watcher in watchers:
            watcher.tell()
        return watchers


class _Watcher:
    """A Watch: is told what changed, in order."""

    def __init__(self, status: Callable[[], Status], send: SendResponse) -> None:
        self._status = status
        self._send = send
        self._told: Status | None = None
        self._sending = threading.Lock()

    def tell(self) -> None:
        """Sends the status unless it is what was sent last."""
        with self._sending:
            status = self._status()
            if status != self._told:
                self._told = status
                self._send(HealthCheckResponse(status=status))

    def end(self) -> None:
        """Ends the call."""
        self._send(None)
