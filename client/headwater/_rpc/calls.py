"""One call from request to answer: deadline, retries, typed errors. Knows neither channels nor what an RPC means."""

import asyncio
import logging
import math
import sys
import time
from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import aclosing, contextmanager, suppress
from numbers import Real

import grpc
from google.protobuf.message import EncodeError, Message

from headwater._rpc.endpoint import Endpoint
from headwater._rpc.retries import RetryPolicy, asked_wait, is_asked_to_wait, may_pass, nothing_was_sent
from headwater._rpc.transport import Transport
from headwater._rpcs import Request, Response, Rpc
from headwater._wire import error_of
from headwater.errors import (
    ClientClosedError,
    DeadlineExceededError,
    HeadwaterError,
    LimitExceededError,
    UnavailableError,
)

LOG = logging.getLogger("headwater")
SILENT_OUTAGE = 2.0
"""Seconds that calls wait for a server before this is logged."""
LONGEST_TIMEOUT = 365 * 86_400.0
"""Seconds. Longer timeouts overflow gRPC's clocks."""
HEALTH = "/grpc.health.v1.Health/Check"
RELEASE_TIMEOUT = 1.0
"""Seconds for a hint to the server that it could also do without."""


class Calls:
    """Calls RPCs over a transport. `timeout` is the default of every call, in seconds; None: no deadline."""

    def __init__(self, transport: Transport, endpoint: Endpoint, *, timeout: float | None, retry: RetryPolicy) -> None:
        self._transport = transport
        self._endpoint = endpoint
        self._timeout = _seconds(timeout)
        self._retry = retry
        self._outage_told = False
        self.closed = False

    async def __call__(self, rpc: Rpc[Request, Response], request: Request, timeout: float | None = None) -> Response:
        """Returns the answer. Raises HeadwaterError.

        `timeout` is in seconds, for all attempts together; None: the timeout of the client.
        """
        seconds = self._timeout if timeout is None else _seconds(timeout)
        deadline = math.inf if seconds is None else time.monotonic() + seconds
        return rpc.response.FromString(await self._send(rpc.path, _serialized(request), deadline, rpc.repeatable))

    async def release(self, rpc: Rpc[Request, Response], request: Request) -> None:
        """Tells the server that it need not keep something any longer. Sent once; a failure does not matter."""
        if not self.closed and not sys.is_finalizing():
            with suppress(HeadwaterError):
                await self._attempt(rpc.path, _serialized(request), RELEASE_TIMEOUT)

    async def download(
        self, rpc: Rpc[Request, Response], request: Request, timeout: float | None = None
    ) -> AsyncGenerator[Response, None]:
        """Yields the answers of a streaming RPC. Close the generator. Raises HeadwaterError. `timeout` None: no
        deadline."""
        left = await self._reach(_seconds(timeout))
        with self._failures():
            async with aclosing(self._transport.receive(rpc.path, _serialized(request), left)) as answers:
                async for answer in answers:
                    yield rpc.response.FromString(answer)

    async def upload(
        self, rpc: Rpc[Request, Response], requests: Iterable[Request], timeout: float | None = None
    ) -> Response:
        """Sends a stream of requests and returns the answer. Raises HeadwaterError, or what reading `requests` raises.

        `timeout` None: no deadline.
        """
        left = await self._reach(_seconds(timeout))
        stream = _Stream(requests)
        try:
            with self._failures():
                answer = await self._transport.send_all(rpc.path, stream, left)
        except HeadwaterError:
            if stream.failure is not None:
                raise stream.failure from None
            raise
        if stream.failure is not None:
            raise stream.failure
        return rpc.response.FromString(answer)

    def check_open(self) -> None:
        """Raises ClientClosedError."""
        if self.closed:
            raise ClientClosedError(f"the client of {self._endpoint.target} is closed: make a new one")

    async def close(self) -> None:
        self.closed = True
        await self._transport.close()

    async def _reach(self, timeout: float | None) -> float | None:
        """Waits for a server and returns the rest of the timeout in seconds: a stream cannot be started twice."""
        began = time.monotonic()
        try:
            await self._send(HEALTH, b"", math.inf if timeout is None else began + timeout, repeatable=True)
        except (UnavailableError, DeadlineExceededError, ClientClosedError):
            raise
        except HeadwaterError:
            pass  # any answer shows that the server is there
        return None if timeout is None else max(timeout - (time.monotonic() - began), 0.0)

    async def _send(self, path: str, request: bytes, deadline: float, repeatable: bool) -> bytes:
        """Returns the answer, after as many attempts as are needed and allowed."""
        retry = 0
        began = time.monotonic()
        while True:
            try:
                answer = await self._attempt(path, request, deadline - time.monotonic())
                self._outage_told = False
                return answer
            except HeadwaterError as error:
                if is_asked_to_wait(error) and self._retry.allows(0):
                    # The server did nothing yet, and says when to come back. This does not count as a failed attempt.
                    wait, end = asked_wait(error), deadline
                elif (may_pass(error) if repeatable else nothing_was_sent(error)) and self._retry.allows(retry):
                    wait, end = self._retry.wait(retry), min(deadline, began + self._longest_outage(deadline))
                    retry += 1
                else:
                    raise self._addressed(error) from error.__cause__
                if time.monotonic() + wait >= end:
                    raise self._addressed(error) from error.__cause__
                self._tell_of_outage(error, time.monotonic() - began)
            await self._transport.sleep(wait)

    def _longest_outage(self, deadline: float) -> float:
        return self._retry.longest_outage if deadline == math.inf else math.inf

    async def _attempt(self, path: str, request: bytes, timeout: float) -> bytes:
        with self._failures(addressed=False):
            return await self._transport.send(path, request, None if timeout == math.inf else max(timeout, 0.0))

    @contextmanager
    def _failures(self, *, addressed: bool = True) -> Iterator[None]:
        """Converts errors of gRPC to HeadwaterError."""
        self.check_open()
        try:
            yield
        except (grpc.RpcError, grpc.aio.UsageError, ValueError, asyncio.CancelledError) as failure:
            if self.closed and not _is_cancelled_by_caller(failure):
                raise ClientClosedError(
                    f"the client of {self._endpoint.target} was closed during the call"
                ) from failure
            if not isinstance(failure, grpc.RpcError):
                raise
            error = error_of(failure)
            raise (self._addressed(error) if addressed else error) from failure

    def _addressed(self, error: HeadwaterError) -> HeadwaterError:
        """The error, with the address in its message when it does not come from a server."""
        if error.reason:
            return error
        if isinstance(error, UnavailableError):
            message = self._endpoint.unreachable(error.message)
            return UnavailableError(message, code=error.code, reason="", metadata=error.metadata)
        if isinstance(error, DeadlineExceededError):
            message = f"no answer from {self._endpoint.target} in time: {error.message}"
            return DeadlineExceededError(message, code=error.code, reason="", metadata=error.metadata)
        return error

    def _tell_of_outage(self, error: HeadwaterError, seconds: float) -> None:
        if seconds >= SILENT_OUTAGE and not self._outage_told and isinstance(error, UnavailableError):
            self._outage_told = True
            LOG.warning("%s Calls are repeated until their deadlines.", self._addressed(error).message)


_UNREADABLE = b"\xff"
"""Bytes that cannot be parsed as a message: the key of a field is cut off."""


class _Stream(Iterator[bytes]):
    """Serialised requests. `failure` keeps the error that reading them raised.

    gRPC reads the requests in its own thread, where it would log the error and lose it. After an error the server gets
    bytes that it cannot parse. So it does not take the first requests for the whole stream.
    """

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


def _seconds(timeout: float | None) -> float | None:
    """Raises TypeError and ValueError."""
    if timeout is None:
        return None
    if isinstance(timeout, bool) or not isinstance(timeout, Real):
        raise TypeError(f"timeout is a number of seconds or None, not {type(timeout).__name__}")
    if not timeout > 0:
        raise ValueError(f"timeout must be more than 0 seconds, not {timeout}; None means no deadline")
    return None if math.isinf(timeout) else min(float(timeout), LONGEST_TIMEOUT)


def _is_cancelled_by_caller(failure: BaseException) -> bool:
    """Whether the task was cancelled, and not only the call: gRPC raises the same error for both."""
    if not isinstance(failure, asyncio.CancelledError):
        return False
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
