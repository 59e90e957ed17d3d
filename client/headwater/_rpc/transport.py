"""How bytes reach the server: a blocking and an asyncio transport with the same methods. Knows no retries."""

import asyncio
import os
import threading
import time
from collections.abc import AsyncGenerator, Iterator
from typing import Protocol

import grpc

from headwater._rpc.endpoint import Endpoint


class Transport(Protocol):
    """Sends one serialised request and returns the serialised answer."""

    async def send(self, path: str, request: bytes, timeout: float | None) -> bytes:
        """Raises grpc.RpcError for any status but OK. `timeout` is in seconds."""

    def receive(self, path: str, request: bytes, timeout: float | None) -> AsyncGenerator[bytes, None]:
        """Sends one request and yields the answers. Close the generator: that cancels the rest. Raises what `send`
        raises."""

    async def send_all(self, path: str, requests: Iterator[bytes], timeout: float | None) -> bytes:
        """Sends many requests and returns the one answer. Raises what `send` raises."""

    async def sleep(self, seconds: float) -> None: ...

    async def close(self) -> None:
        """Cancels the calls in flight. Later calls fail."""


class BlockingTransport:
    """A transport whose coroutines never suspend: they block. Safe to share between threads.

    A forked process opens its own channel: the channel of the parent needs threads that the child does not have.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._metadata = endpoint.metadata
        self._lock = threading.Lock()
        self._process = 0
        self._channel: grpc.Channel | None = None
        self._methods: dict[str, grpc.UnaryUnaryMultiCallable[bytes, bytes]] = {}

    async def send(self, path: str, request: bytes, timeout: float | None) -> bytes:
        channel, methods = self._opened()
        method = methods.get(path)
        if method is None:
            method = methods[path] = channel.unary_unary(path, None, None)
        return method(request, timeout=timeout, metadata=self._metadata)

    async def receive(self, path: str, request: bytes, timeout: float | None) -> AsyncGenerator[bytes, None]:
        method = self._opened()[0].unary_stream(path, None, None)
        call = method(request, timeout=timeout, metadata=self._metadata)
        try:
            for answer in call:
                yield answer
        finally:
            call.cancel()

    async def send_all(self, path: str, requests: Iterator[bytes], timeout: float | None) -> bytes:
        method = self._opened()[0].stream_unary(path, None, None)
        answer: bytes = method(requests, timeout=timeout, metadata=self._metadata)
        return answer

    async def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    async def close(self) -> None:
        if self._channel is not None and self._process == os.getpid():
            self._channel.close()

    def _opened(self) -> tuple[grpc.Channel, "dict[str, grpc.UnaryUnaryMultiCallable[bytes, bytes]]"]:
        if self._process != os.getpid():
            with self._lock:
                if self._process != os.getpid():
                    self._channel, self._methods = self._new_channel(), {}
                    self._process = os.getpid()
        assert self._channel is not None
        return self._channel, self._methods

    def _new_channel(self) -> grpc.Channel:
        target, credentials, options = self._endpoint.name, self._endpoint.credentials, self._endpoint.channel_options
        if credentials is None:
            return grpc.insecure_channel(target, options)
        return grpc.secure_channel(target, credentials, options)


class AsyncioTransport:
    """A transport for any number of event loops, also in several threads. Each loop has its own channel."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._metadata = endpoint.metadata
        self._lock = threading.Lock()
        self._channels: dict[asyncio.AbstractEventLoop, grpc.aio.Channel] = {}

    async def send(self, path: str, request: bytes, timeout: float | None) -> bytes:
        method: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = self._opened().unary_unary(path, None, None)
        return await method(request, timeout=timeout, metadata=self._metadata)

    async def receive(self, path: str, request: bytes, timeout: float | None) -> AsyncGenerator[bytes, None]:
        method = self._opened().unary_stream(path, None, None)
        call = method(request, timeout=timeout, metadata=self._metadata)
        try:
            async for answer in call:
                yield answer
        finally:
            call.cancel()

    async def send_all(self, path: str, requests: Iterator[bytes], timeout: float | None) -> bytes:
        method = self._opened().stream_unary(path, None, None)
        answer: bytes = await method(requests, timeout=timeout, metadata=self._metadata)
        return answer

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def close(self) -> None:
        here = asyncio.get_running_loop()
        with self._lock:
            channels, self._channels = self._channels, {}
        for loop, channel in channels.items():
            if loop is here:
                await channel.close(None)
            elif loop.is_running():
                asyncio.run_coroutine_threadsafe(channel.close(None), loop)

    def _opened(self) -> grpc.aio.Channel:
        # A channel belongs to an event loop, and clients are often made before the loop, so the constructor cannot open
        # it.
        loop = asyncio.get_running_loop()
        channel = self._channels.get(loop)
        if channel is None:
            with self._lock:
                # A channel keeps its loop in memory, so drop the channels of closed loops.
                self._channels = {each: open_ for each, open_ in self._channels.items() if not each.is_closed()}
                channel = self._channels[loop] = self._new_channel()
        return channel

    def _new_channel(self) -> grpc.aio.Channel:
        target, credentials, options = self._endpoint.name, self._endpoint.credentials, self._endpoint.channel_options
        if credentials is None:
            return grpc.aio.insecure_channel(target, options)
        return grpc.aio.secure_channel(target, credentials, options)
