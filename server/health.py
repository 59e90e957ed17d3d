"""Standard gRPC health: SERVING means ready. A stop is told to watchers, and then does not wait for them."""

from collections.abc import Callable, Iterable
from typing import Any

import grpc
from grpc_health.v1.health import OVERALL_HEALTH, HealthServicer
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

SendResponse = Callable[[HealthCheckResponse | None], Any]


class Health(HealthServicer):
    """Health of the server ("") and of its services. NOT_SERVING until `ready`."""

    def __init__(self, services: Iterable[str]) -> None:
        super().__init__(experimental_non_blocking=True)
        self._services = (OVERALL_HEALTH, *services)
        self._watchers: set[SendResponse] = set()
        self._set_all(HealthCheckResponse.NOT_SERVING)

    def ready(self) -> None:
        """Says that requests are served."""
        self._set_all(HealthCheckResponse.SERVING)

    def stop(self) -> None:
        """Says that requests are no longer served, and ends every Watch: a stop with grace waits for open calls."""
        self.enter_graceful_shutdown()
        for send_response in list(self._watchers):
            send_response(None)

    def Watch(  # noqa: N802  # the name that gRPC calls
        self,
        request: HealthCheckRequest,
        context: grpc.ServicerContext,
        send_response_callback: SendResponse | None = None,
    ) -> Any:
        """Sends the status and every change of it, without keeping a thread."""
        assert send_response_callback is not None, "non-blocking"
        self._watchers.add(send_response_callback)
        context.add_callback(lambda: self._watchers.discard(send_response_callback))
        return super().Watch(request, context, send_response_callback)

    def _set_all(self, status: HealthCheckResponse.ServingStatus) -> None:
        for service in self._services:
            self.set(service, status)
