"""One call from request to answer: deadline, retries, typed errors. Knows neither channels nor what RPCs mean."""

import random
import time
from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import aclosing
from dataclasses import dataclass

import grpc
from google.protobuf.message import EncodeError, Message

from headwater._transport import Transport
from headwater._wire.rpcs import Request, Response, Rpc
from headwater._wire.status import error_of
from headwater.errors import (
    EmbedderUnavailableError,
    HeadwaterError,
    LimitExceededError,
    StorageFailedError,
    TooManyRequestsError,
    UnavailableError,
)

DEFAULT_RETRIES = 5
DEFAULT_ASKED_WAIT = 1.0  # seconds, when a server that is full does not say when to come back


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often an idempotent call is sent again while the server is unavailable. Seconds.

    Waits grow twofold and are drawn between half and all of their length, so that many clients do not come back at
    the same moment. The call's deadline ends them all. A call that finds the server's queue full waits as long as the
    server says, again and again until its deadline, whatever it does; not if `retries` is 0.
    """

    retries: int = DEFAULT_RETRIES
    first_wait: float = 0.1
    longest_wait: float = 2.0

    def wait(self, retry: int) -> float:
        """Seconds before the retry of this number, from 0."""
        return min(self.first_wait * 2.0**retry, self.longest_wait) * random.uniform(0.5, 1.0)


class Calls:
    """Calls RPCs over a transport. `timeout` is the default of every call, in seconds; None: no deadline."""

    def __init__(self, transport: Transport, *, timeout: float | None, retry: RetryPolicy) -> None:
        self._transport = transport
        self._timeout = timeout
        self._retry = retry

    async def __call__(self, rpc: Rpc[Request, Response], request: Request, timeout: float | None = None) -> Response:
        """The answer. Raises HeadwaterError. `timeout` covers all attempts; None: the client's."""
        seconds = self._timeout if timeout is None else timeout
        deadline = None if seconds is None else time.monotonic() + seconds
        retries = self._retry.retries if rpc.repeatable else 0
        return rpc.response.FromString(await self._send(rpc.path, _serialized(request), deadline, retries))

    async def download(
        self, rpc: Rpc[Request, Response], request: Request, timeout: float | None = None
    ) -> AsyncGenerator[Response, None]:
        """The answers of an RPC that streams them. Close it. Raises HeadwaterError. `timeout` None: no deadline."""
        try:
            async with aclosing(self._transport.receive(rpc.path, _serialized(request), timeout)) as answers:
                async for answer in answers:
                    yield rpc.response.FromString(answer)
        except grpc.RpcError as failure:
            raise error_of(failure) from failure

    async def upload(
        self, rpc: Rpc[Request, Response], requests: Iterable[Request], timeout: float | None = None
    ) -> Response:
        """The answer of an RPC that is asked by a stream. Raises HeadwaterError, or what reading `requests` raises.

        `timeout` None: no deadline.
        """
        stream = _Stream(requests)
        try:
            answer = await self._transport.send_all(rpc.path, stream, timeout)
        except grpc.RpcError as failure:
            if stream.failure is not None:
                raise stream.failure from None
            raise error_of(failure) from failure
        if stream.failure is not None:
            raise stream.failure
        return rpc.response.FromString(answer)

    async def close(self) -> None:
        await self._transport.close()

    async def _send(self, path: str, request: bytes, deadline: float | None, retries: int) -> bytes:
        retry = 0
        while True:
            remaining = None if deadline is None else deadline - time.monotonic()
            try:
                return await self._transport.send(path, request, remaining)
            except grpc.RpcError as failure:
                error = error_of(failure)
                if isinstance(error, TooManyRequestsError) and self._retry.retries > 0:
                    # The server did nothing yet, and says when there will be room: that is no failed attempt.
                    wait = _asked_wait(error) * random.uniform(1.0, 1.5)
                elif retry < retries and _may_pass(error):
                    wait = self._retry.wait(retry)
                    retry += 1
                else:
                    raise error from failure
                if _too_late(wait, deadline):
                    raise error from failure
                await self._transport.sleep(wait)


_UNREADABLE = b"\xff"
"""Bytes that are no message: the key of a field is cut off."""


class _Stream(Iterator[bytes]):
    """Serialised requests. What reading them raises is kept in `failure`: gRPC reads in a thread of its own, and would
    log it and lose it. The server is then sent what it cannot read, so that it does not take a part for the whole."""

    def __init__(self, requests: Iterable[Message]) -> None:
        self._requests = iter(requests)
        self.failure: Exception | None = None

    def __next__(self) -> bytes:
        if self.failure is not None:
            raise StopIteration
        try:
            return _serialized(next(self._requests))
        except StopIteration:
            raise
        except Exception as failure:
            self.failure = failure
            return _UNREADABLE


def _serialized(request: Message) -> bytes:
    try:
        return request.SerializeToString()
    except EncodeError as error:
        raise LimitExceededError(f"the request is too large to be sent: {error}") from error


def _may_pass(error: HeadwaterError) -> bool:
    # A failed file does not heal by itself: its collection has to be opened again. Of embedders the server has tried.
    return isinstance(error, UnavailableError) and not isinstance(error, StorageFailedError | EmbedderUnavailableError)


def _asked_wait(error: TooManyRequestsError) -> float:
    """Seconds that the server asks to wait."""
    return float(error.metadata.get("retry_seconds", DEFAULT_ASKED_WAIT))


def _too_late(wait: float, deadline: float | None) -> bool:
    return deadline is not None and time.monotonic() + wait >= deadline
