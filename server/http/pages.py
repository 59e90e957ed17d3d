"""What is served where: RPCs below their names, the health of the server, and pages that the caller adds."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message_factory import GetMessageClass
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from server.http.calls import Metadata
from server.http.endpoint import Bounds, Endpoint, Method, metadata_of
from server.http.errors import error_object, failed, http_status_of
from server.http.guards import App, Guarded, Guards
from server.lanes import Admission
from storage.errors import EngineError

DESCRIPTION = Path(__file__).parent / "openapi.json"
"""What docs/write_openapi.py makes of the protos."""


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

    async def openapi(request: Request) -> FileResponse:
        return FileResponse(DESCRIPTION, media_type="application/json")

    endpoint = Endpoint(_methods(services, rpcs), admission, bounds)
    app = Starlette(
        routes=[
            Route("/healthz", health),
            Route("/openapi.json", openapi),
            *more,
            Route("/{service}/{method}", endpoint),
        ]
    )
    return Guarded(app, guards)


def page(path: str, content: Callable[[], tuple[bytes, str]], authenticate: Callable[[Metadata], None] | None) -> Route:
    """A page whose bytes and content type `content` makes, in a thread. `authenticate` raises EngineError for callers
    who may not see it; None: everybody may."""

    def answer(request: Request) -> Response:
        try:
            if authenticate is not None:
                authenticate(metadata_of(request.headers))
        except EngineError as error:
            status = failed(error).status
            return JSONResponse(error_object(status), http_status_of(status))
        body, content_type = content()
        return Response(body, media_type=None, headers={"content-type": content_type})

    return Route(path, answer)


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
