"""The HTTP port: a uvicorn server in a thread of its own, on a socket that is bound before it starts."""

import asyncio
import logging
import socket
import threading

import uvicorn

from server.certificates import Certificates
from server.config import split_address
from server.http.connections import BoundedConnection
from server.http.guards import App

MAX_HEAD_BYTES = 64 * 2**10
"""Bytes of the head of a request: its path and headers."""
_BACKLOG = 256
_STOP_SECONDS = 2


class CannotServe(Exception):
    """The reason why the port cannot be served, in one line."""


class HttpPort:
    """Serves `app` on `address`, with TLS if there are certificates. Raises CannotServe when made."""

    def __init__(self, app: App, address: str, certificates: Certificates | None = None) -> None:
        host, port = split_address(address)
        self._socket = _bound(host, port, address)
        self.address = f"{host}:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(
            app,
            http=BoundedConnection,
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            log_level=logging.WARNING,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            h11_max_incomplete_event_size=MAX_HEAD_BYTES,
            timeout_graceful_shutdown=_STOP_SECONDS,
            ssl_context_factory=None if certificates is None else lambda *given: certificates.context(),
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._serve, name="http", daemon=True)

    def start(self) -> None:
        """Serves from now on."""
        self._thread.start()

    def close(self) -> None:
        """Ends all connections. Requests that are still being answered end with them."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(_STOP_SECONDS + 1)
        self._socket.close()

    def _serve(self) -> None:
        asyncio.run(self._server.serve([self._socket]))


def _bound(host: str, port: int, address: str) -> socket.socket:
    """A socket that listens there. Raises CannotServe."""
    name = host.strip("[]")
    try:
        family, _, _, _, where = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)[0]
        listener = socket.create_server(where[:2], family=family, backlog=_BACKLOG)
    except OSError as error:
        raise CannotServe(f"http: cannot listen on {address}: {error.strerror or error}") from None
    listener.setblocking(False)
    # Connections inherit it. Otherwise the body of an answer waits until the client has confirmed its head: 40 ms.
    # asyncio sets it by itself only where sockets say that they are of TCP, and those of create_server do not.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener
