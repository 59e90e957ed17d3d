"""The clients: one connection and its namespaces, blocking or async. The methods are in the namespaces."""

from collections.abc import Sequence
from types import TracebackType
from typing import Self

import grpc

from headwater._calls import DEFAULT_RETRIES, Calls, RetryPolicy
from headwater._collections import AsyncCollections, Collections
from headwater._indexes import AsyncIndexes, Indexes
from headwater._points import AsyncPoints, Points
from headwater._records import AsyncRecords, Records
from headwater._surface import run_blocking
from headwater._transfer import AsyncTransfers, Transfers
from headwater._transport import AsyncioTransport, BlockingTransport, ChannelOption, Endpoint
from headwater._vde import VDE, AsyncVDE

DEFAULT_TARGET = "localhost:50051"
DEFAULT_TIMEOUT = 60.0
"""Seconds a call may take, retries included, unless it says otherwise."""


class Client:
    """A connection to a Headwater server whose methods block. Safe to share between threads.

        with Client("localhost:50051") as client:
            hits = client.points.search("shop", [0.1, 0.2, 0.3], limit=5)

    `timeout` is the default of every call in seconds, retries included; None: no deadline. `retries` is how often an
    idempotent call is sent again while the server is unavailable. `tls` is True for the system's certificates, or
    credentials made by grpc. `api_key` is sent with every call. `options` are gRPC channel options. It connects when
    it is first used.
    """

    def __init__(
        self,
        target: str = DEFAULT_TARGET,
        *,
        api_key: str | None = None,
        tls: bool | grpc.ChannelCredentials = False,
        timeout: float | None = DEFAULT_TIMEOUT,
        retries: int = DEFAULT_RETRIES,
        options: Sequence[ChannelOption] = (),
    ) -> None:
        endpoint = Endpoint(target=target, tls=tls, api_key=api_key, options=options)
        self._calls = Calls(BlockingTransport(endpoint), timeout=timeout, retry=RetryPolicy(retries=retries))
        self.collections = Collections(self._calls)
        self.points = Points(self._calls)
        self.vde = VDE(self._calls)
        self.indexes = Indexes(self._calls)
        self.records = Records(self._calls)
        self.upload_points = self.points.upload_points
        transfers = Transfers(self._calls)
        self.export_jsonl, self.import_jsonl = transfers.export_jsonl, transfers.import_jsonl
        self.export_parquet, self.import_parquet = transfers.export_parquet, transfers.import_parquet

    def close(self) -> None:
        """Ends the connection; calls in flight are cancelled."""
        run_blocking(self._calls.close())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class AsyncClient:
    """A connection to a Headwater server whose methods are awaited, in one event loop.

        async with AsyncClient("localhost:50051") as client:
            hits = await client.points.search("shop", [0.1, 0.2, 0.3], limit=5)

    Arguments and methods are those of Client.
    """

    def __init__(
        self,
        target: str = DEFAULT_TARGET,
        *,
        api_key: str | None = None,
        tls: bool | grpc.ChannelCredentials = False,
        timeout: float | None = DEFAULT_TIMEOUT,
        retries: int = DEFAULT_RETRIES,
        options: Sequence[ChannelOption] = (),
    ) -> None:
        endpoint = Endpoint(target=target, tls=tls, api_key=api_key, options=options)
        self._calls = Calls(AsyncioTransport(endpoint), timeout=timeout, retry=RetryPolicy(retries=retries))
        self.collections = AsyncCollections(self._calls)
        self.points = AsyncPoints(self._calls)
        self.vde = AsyncVDE(self._calls)
        self.indexes = AsyncIndexes(self._calls)
        self.records = AsyncRecords(self._calls)
        self.upload_points = self.points.upload_points
        transfers = AsyncTransfers(self._calls)
        self.export_jsonl, self.import_jsonl = transfers.export_jsonl, transfers.import_jsonl
        self.export_parquet, self.import_parquet = transfers.export_parquet, transfers.import_parquet

    async def close(self) -> None:
        """Ends the connection; calls in flight are cancelled."""
        await self._calls.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()
