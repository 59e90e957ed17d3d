"""How bytes reach the server: a blocking and an asyncio transport of one shape. Knows no retries and no errors."""

import asyncio
import time
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import grpc

ChannelOption = tuple[str, str | int]

_DEFAULT_OPTIONS: Mapping[str, str | int] = {
    # Batches of vectors and pages of payloads are large; the server sets the limits that matter.
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
    # The first reconnect must be quick, or retries would all meet a channel that still waits a second.
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 5_000,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where the server is and how to speak to it. `options` are gRPC channel options and win over the defaults."""

    target: str
    tls: bool | grpc.ChannelCredentials = False
    api_key: str | None = None
    options: Sequence[ChannelOption] = ()

    @property
    def credentials(self) -> grpc.ChannelCredentials | None:
        """None for plain text."""
        if isinstance(self.tls, bool):
            return grpc.ssl_channel_credentials() if self.tls else None
        return self.tls

    @property
    def channel_options(self) -> list[ChannelOption]:
        return list({**_DEFAULT_OPTIONS, **dict(self.options)}.items())

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        return () if self.api_key is None else (("api-key", self.api_key),)


class Transport(Protocol):
    """Sends one serialised request and returns the serialised answer."""

    async def send(self, path: str, request: bytes, timeout: float | None) -> bytes:
        """Raises grpc.RpcError for any status but OK. `timeout` is in seconds."""

    def receive(self, path: str, request: bytes, timeout: float | None) -> AsyncGenerator[bytes, None]:
        """Sends one request and yields the answers. Close it: that cancels what has not come. Raises as `send` does."""

    async def send_all(self, path: str, requests: Iterator[bytes], timeout: float | None) -> bytes:
        """Sends many requests and returns the one answer. Raises as `send` does."""

    async def sleep(self, seconds: float) -> None: ...

    async def close(self) -> None: ...


class BlockingTransport:
    """A transport whose coroutines never suspend: they block. Safe to share between threads."""

    def __init__(self, endpoint: Endpoint) -> None:
        credentials, options = endpoint.credentials, endpoint.channel_options
        self._metadata = endpoint.metadata
        self._channel = (
            grpc.insecure_channel(endpoint.target, options)
            if credentials is None
            else grpc.secure_channel(endpoint.target, credentials, options)
        )
        self._methods: dict[str, grpc.UnaryUnaryMultiCallable[bytes, bytes]] = {}

    async def send(self, path: str, request: bytes, timeout: float | None) -> bytes:
        method = self._methods.get(path)
        if method is None:
            method = self._methods[path] = self._channel.unary_unary(path, None, None)
        return method(request, timeout=timeout, metadata=self._metadata)

    async def receive(self, path: str, request: bytes, timeout: float | None) -> AsyncGenerator[bytes, None]:
        method = self._channel.unary_stream(path, None, None)
        call = method(request, timeout=timeout, metadata=self._metadata)
        try:
            for answer in call:
                yield answer
        finally:
            call.cancel()

    async def send_all(self, path: str, requests: Iterator[bytes], timeout: float | None) -> bytes:
        method = self._channel.stream_unary(path, None, None)
        answer: bytes = method(requests, timeout=timeout, metadata=self._metadata)
        return answer

    async def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    async def close(self) -> None:
        self._channel.close()


class AsyncioTransport:
    """A transport for one event loop: the one that runs when it is first used."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._channel: grpc.aio.Channel | None = None
        self._methods: dict[str, grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]] = {}

    async def send(self, path: str, request: bytes, timeout: float | None) -> bytes:
        method = self._methods.get(path)
        if method is None:
            method = self._methods[path] = self._open().unary_unary(path, None, None)
        return await method(request, timeout=timeout, metadata=self._endpoint.metadata)

    async def receive(self, path: str, request: bytes, timeout: float | None) -> AsyncGenerator[bytes, None]:
        method = self._open().unary_stream(path, None, None)
        call = method(request, timeout=timeout, metadata=self._endpoint.metadata)
        try:
            async for answer in call:
                yield answer
        finally:
            call.cancel()

    async def send_all(self, path: str, requests: Iterator[bytes], timeout: float | None) -> bytes:
        method = self._open().stream_unary(path, None, None)
        answer: bytes = await method(requests, timeout=timeout, metadata=self._endpoint.metadata)
        return answer

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def close(self) -> None:
        if self._channel is not None:
            await self._channel.close(None)

    def _open(self) -> grpc.aio.Channel:
        # Not in the constructor: a channel belongs to a loop, and clients are often made before there is one.
        if self._channel is None:
            credentials, options = self._endpoint.credentials, self._endpoint.channel_options
            self._channel = (
                grpc.aio.insecure_channel(self._endpoint.target, options)
                if credentials is None
                else grpc.aio.secure_channel(self._endpoint.target, credentials, options)
            )
        return self._channel
