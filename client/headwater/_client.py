"""The clients: one connection and its namespaces, blocking or async. The methods are in the namespaces."""

import asyncio
import atexit
import os
import weakref
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import grpc

from headwater._files import AsyncTransfers, Transfers
from headwater._local import LocalServer
from headwater._methods import (
    VDE,
    AsyncCollections,
    AsyncIndexes,
    AsyncKeys,
    AsyncPoints,
    AsyncRecords,
    AsyncVDE,
    Collections,
    Indexes,
    Keys,
    Points,
    Records,
)
from headwater._rpc import (
    AsyncioTransport,
    BlockingTransport,
    Calls,
    ChannelOption,
    Endpoint,
    RetryPolicy,
    Tls,
    run_blocking,
)

DEFAULT_TARGET = "localhost:50051"
DEFAULT_TIMEOUT = 60.0
"""Seconds a call may take, retries included, unless it says otherwise."""


class _Connection:
    """The common part of both clients. It keeps their arguments, for `repr` and for pickling."""

    def __init__(self, calls: Calls, endpoint: Endpoint, timeout: float | None, retries: int | None) -> None:
        self._calls = calls
        self._endpoint = endpoint
        self._limits = (timeout, retries)
        self._server: LocalServer | None = None

    @property
    def target(self) -> str:
        """The address of the server. Other processes of this machine reach a local server by it, too."""
        return self._endpoint.target

    def _own(self, server: LocalServer) -> Self:
        """Stops `server` when the client is closed, or when nobody has it or its namespaces any longer."""
        self._server = server
        weakref.finalize(self._calls, server.stop).atexit = False  # the server itself stops at the end
        return self

    def _stop_server(self) -> None:
        if self._server is not None:
            self._server.stop()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._endpoint.target}{', closed' if self._calls.closed else ''}>"

    def __reduce__(self) -> tuple[object, ...]:
        if isinstance(self._endpoint.tls, grpc.ChannelCredentials):
            raise TypeError("credentials made by grpc cannot be pickled: make the client in the process that uses it")
        return (_connect, (type(self), self._endpoint, *self._limits))


def _close_at_exit(client: "weakref.ref[Client]") -> None:
    found = client()
    if found is not None:
        found.close()


def _connect(kind: Any, endpoint: Endpoint, timeout: float | None, retries: int | None) -> object:
    return kind(
        endpoint.target,
        api_key=endpoint.api_key,
        tls=endpoint.tls,
        timeout=timeout,
        retries=retries,
        options=endpoint.options,
    )


class Client(_Connection):
    """A connection to a Headwater server whose methods block. Safe to share between threads.

        with Client("localhost:50051") as client:
            hits = client.points.search("shop", [0.1, 0.2, 0.3], limit=5)

    `target` is `host`, `host:port`, `[ipv6]:port`, `grpc://host:port`, `grpcs://host:port` for TLS (`http` and `https`
    mean the same), or `unix:/path`; the port is 50051 unless it says otherwise. `timeout` is the default of every call
    in seconds, retries included; None: no deadline. While the server is unavailable, calls that are safe to repeat are
    sent again until the deadline (a minute without one). Other calls are sent again only if nothing was sent yet.
    `retries` bounds how
    often. `tls` is True for the system's certificates, or credentials made by grpc. `api_key` is sent with every call.
    `options` are gRPC channel options. It connects when it is first used; forked and pickled ones connect anew.
    Raises TypeError and ValueError for invalid arguments.
    """

    def __init__(
        self,
        target: str = DEFAULT_TARGET,
        *,
        api_key: str | None = None,
        tls: Tls = None,
        timeout: float | None = DEFAULT_TIMEOUT,
        retries: int | None = None,
        options: Sequence[ChannelOption] = (),
    ) -> None:
        endpoint = Endpoint(target=target, tls=tls, api_key=api_key, options=tuple(options))
        retry = RetryPolicy(retries=retries)
        calls = Calls(BlockingTransport(endpoint), endpoint, timeout=timeout, retry=retry)
        super().__init__(calls, endpoint, timeout, retries)
        self.collections = Collections(self._calls)
        self.points = Points(self._calls)
        self.vde = VDE(self._calls)
        self.indexes = Indexes(self._calls)
        self.keys = Keys(self._calls)
        self.records = Records(self._calls)
        self.upload_points = self.points.upload_points
        transfers = Transfers(self._calls)
        self.export_jsonl, self.import_jsonl = transfers.export_jsonl, transfers.import_jsonl
        self.export_parquet, self.import_parquet = transfers.export_parquet, transfers.import_parquet
        self.create_from_file = transfers.create_from_file

    @classmethod
    def local(
        cls, path: str | os.PathLike[str], *, timeout: float | None = DEFAULT_TIMEOUT, retries: int | None = None
    ) -> Self:
        """A client with a server of its own, over the folder `path`. It takes about half a second.

            client = Client.local("./data")

        `path` is a data directory, made when absent, or ":memory:" for a store that is gone at the end. The server is
        a process on a Unix socket that only this user can reach (`client.target`). It ends when the client is closed
        or no longer used, and when this process ends, even if it is killed. Forks and pickled copies of the client
        use the same server. It needs the server's package in this Python.

        Raises ServerNotInstalledError; LocalServerError if the server does not start, for instance since another
        process has the folder open; TypeError and ValueError.
        """
        server = LocalServer(path)
        client = cls(server.target, timeout=timeout, retries=retries)._own(server)
        atexit.register(_close_at_exit, weakref.ref(client))  # before the server stops, or gRPC would complain
        return client

    def close(self) -> None:
        """Ends the connection and cancels the calls in flight. Later calls raise ClientClosedError.

        A server of its own is stopped, unless this is a fork or a copy of the client that started it.
        """
        run_blocking(self._calls.close())
        self._stop_server()

    def __enter__(self) -> Self:
        self._calls.check_open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class AsyncClient(_Connection):
    """A connection to a Headwater server whose methods are awaited, in any number of event loops and threads.

        async with AsyncClient("localhost:50051") as client:
            hits = await client.points.search("shop", [0.1, 0.2, 0.3], limit=5)

    Arguments and methods are those of Client.
    """

    def __init__(
        self,
        target: str = DEFAULT_TARGET,
        *,
        api_key: str | None = None,
        tls: Tls = None,
        timeout: float | None = DEFAULT_TIMEOUT,
        retries: int | None = None,
        options: Sequence[ChannelOption] = (),
    ) -> None:
        endpoint = Endpoint(target=target, tls=tls, api_key=api_key, options=tuple(options))
        retry = RetryPolicy(retries=retries)
        calls = Calls(AsyncioTransport(endpoint), endpoint, timeout=timeout, retry=retry)
        super().__init__(calls, endpoint, timeout, retries)
        self.collections = AsyncCollections(self._calls)
        self.points = AsyncPoints(self._calls)
        self.vde = AsyncVDE(self._calls)
        self.indexes = AsyncIndexes(self._calls)
        self.keys = AsyncKeys(self._calls)
        self.records = AsyncRecords(self._calls)
        self.upload_points = self.points.upload_points
        transfers = AsyncTransfers(self._calls)
        self.export_jsonl, self.import_jsonl = transfers.export_jsonl, transfers.import_jsonl
        self.export_parquet, self.import_parquet = transfers.export_parquet, transfers.import_parquet
        self.create_from_file = transfers.create_from_file

    @classmethod
    def local(
        cls, path: str | os.PathLike[str], *, timeout: float | None = DEFAULT_TIMEOUT, retries: int | None = None
    ) -> Self:
        """See Client.local. The start is not awaited: for about half a second it blocks the event loop."""
        server = LocalServer(path)
        return cls(server.target, timeout=timeout, retries=retries)._own(server)

    async def close(self) -> None:
        """Ends the connection and cancels the calls in flight. Later calls raise ClientClosedError.

        A server of its own is stopped, as Client.close does.
        """
        await self._calls.close()
        if self._server is not None:
            await asyncio.to_thread(self._stop_server)

    async def __aenter__(self) -> Self:
        self._calls.check_open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()
