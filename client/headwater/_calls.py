"""One call from request to answer: deadline, retries, typed errors. Knows neither channels nor what RPCs mean."""

import random
import time
from dataclasses import dataclass

import grpc
from google.protobuf.message import EncodeError, Message

from headwater._transport import Transport
from headwater._wire.rpcs import Request, Response, Rpc
from headwater._wire.status import error_of
from headwater.errors import HeadwaterError, LimitExceededError, StorageFailedError, UnavailableError

DEFAULT_RETRIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often an idempotent call is sent again while the server is unavailable. Seconds.

    Waits grow twofold and are drawn between half and all of their length, so that many clients do not come back at
    the same moment. The call's deadline ends them all.
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

    async def close(self) -> None:
        await self._transport.close()

    async def _send(self, path: str, request: bytes, deadline: float | None, retries: int) -> bytes:
        for retry in range(retries + 1):
            remaining = None if deadline is None else deadline - time.monotonic()
            try:
                return await self._transport.send(path, request, remaining)
            except grpc.RpcError as failure:
                error = error_of(failure)
                wait = self._retry.wait(retry)
                if retry == retries or not _may_pass(error) or _too_late(wait, deadline):
                    raise error from failure
                await self._transport.sleep(wait)
        raise AssertionError("the last attempt returns or raises")


def _serialized(request: Message) -> bytes:
    try:
        return request.SerializeToString()
    except EncodeError as error:
        raise LimitExceededError(f"the request is too large to be sent: {error}") from error


def _may_pass(error: HeadwaterError) -> bool:
    # A failed file does not heal by itself: its collection has to be opened again.
    return isinstance(error, UnavailableError) and not isinstance(error, StorageFailedError)


def _too_late(wait: float, deadline: float | None) -> bool:
    return deadline is not None and time.monotonic() + wait >= deadline
