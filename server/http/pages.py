"""What is served where: RPCs below their names, the health of the server, and pages that the caller adds."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message_factory import GetMessageClass
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from server.http.endpoint import Bounds, Endpoint, Method
from server.http.guards import App, Guarded, Guards
from server.lanes import Admission


def application(
    services: Sequence[ServiceDescriptor],
    rpcs: Mapping[str, Any],
    admission: Admission,
    *,
    bounds: Bounds,
    guards: Guards,
    is_ready: Callable[[], bool],
    more: Sequence[BaseRoute] = (),
) -> App:
    """The ASGI application of a server. `rpcs`: what gRPC calls, by names such as `headwater.v1.Points/Query`."""

    async def health(request: Request) -> JSONResponse:
        ready = is_ready()
        return JSONResponse({"status": "SERVING" if ready else "NOT_SERVING"}, 200 if ready else 503)

    endpoint = Endpoint(_methods(services, rpcs), admission, bounds)
    app = Starlette(routes=[Route("/healthz", health), *more, Route("/{service}/{method}", endpoint)])
    return Guarded(app, guards)


def _methods(services: Sequence[ServiceDescriptor], rpcs: Mapping[str, Any]) -> Mapping[str, Method]:
    return {
        name: Method(
            rpcs[name],
            GetMessageClass(method.input_type),
            GetMessageClass(method.output_type),
            is_upload=method.client_streaming,
            is_download=method.server_streaming,
        )
        for service in services
        for method in service.methods
        for name in [f"{service.full_name}/{method.name}"]
    }
