"""Checks from where a browser asks: the Host, against rebinding of names, and the Origin, with CORS for those allowed.

Programs that are no browsers send no Origin, and the Host that they were given.
"""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from server.addresses import host_name

App = Callable[
    [MutableMapping[str, Any], Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]
]

_LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
_ALLOWED_HEADERS = (
    "api-key, authorization, connect-protocol-version, connect-timeout-ms, content-encoding, content-type"
)
_PREFLIGHT_SECONDS = "7200"


@dataclass(frozen=True, slots=True)
class Guards:
    """What may be asked for. `hosts`: names besides those of this machine, or None: all. `origins`: of other pages."""

    hosts: frozenset[str] | None
    origins: frozenset[str]

    def refusal(self, host: str, origin: str | None, scheme: str) -> str:
        """Why a request is refused; empty if it is not."""
        if self.hosts is not None and host_name(host) not in self.hosts.union(_LOCAL_NAMES):
            return f"the host {host!r} is not served here; http_allow_host can allow it"
        if origin is not None and origin not in self.origins and origin != f"{scheme}://{host}":
            return f"pages of the origin {origin!r} may not ask; http_allow_origin can allow it"
        return ""


class Guarded:
    """An ASGI application behind guards."""

    def __init__(self, app: App, guards: Guards) -> None:
        self._app = app
        self._guards = guards

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """See ASGI."""
        headers = {name: value.decode("latin-1") for name, value in scope["headers"] if name in (b"host", b"origin")}
        origin = headers.get(b"origin")
        refusal = self._guards.refusal(headers.get(b"host", ""), origin, scope["scheme"])
        allowed = [] if origin is None or refusal else _cors(origin)
        if refusal:
            body = json.dumps({"code": "permission_denied", "message": refusal}).encode()
            await _respond(send, 403, [(b"content-type", b"application/json")], body)
        elif scope["method"] == "OPTIONS":
            await _respond(send, 204, [*allowed, *_preflight()], b"")
        else:

            async def send_allowed(event: MutableMapping[str, Any]) -> None:
                if event["type"] == "http.response.start":
                    event = {**event, "headers": [*event["headers"], *allowed]}
                await send(event)

            await self._app(scope, receive, send_allowed if allowed else send)


def _cors(origin: str) -> list[tuple[bytes, bytes]]:
    return [(b"access-control-allow-origin", origin.encode("latin-1")), (b"vary", b"origin")]


def _preflight() -> list[tuple[bytes, bytes]]:
    return [
        (b"access-control-allow-methods", b"GET, POST"),
        (b"access-control-allow-headers", _ALLOWED_HEADERS.encode()),
        (b"access-control-max-age", _PREFLIGHT_SECONDS.encode()),
    ]


async def _respond(send: Any, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    headers = [*headers, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
