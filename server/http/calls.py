"""One call over HTTP in the lanes. An RPC works for it in a thread, and the event loop waits for its outcome.

To an RPC it is the context of a call, with the methods of gRPC's that RPCs use.
"""

import asyncio
import concurrent.futures
import contextlib
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

from google.rpc.status_pb2 import Status

from server.http.errors import Failed, failed
from server.lanes import Admission, Call, Rpc, Turn, read_in_lane
from storage.errors import Cancelled, DeadlineExceeded, EngineError

_DETAILS = "grpc-status-details-bin"
_Value = TypeVar("_Value")
Work = Callable[[Turn], bytes]
"""Runs an RPC, in a thread, and returns the reply as it is sent. Raises Failed or EngineError."""
Metadata = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls: its address, its headers in lower case, what it may do, and until when it waits.

    `deadline`: on the clock of time.monotonic, or None.
    """

    name: str
    metadata: Metadata
    access: object
    deadline: float | None


class HttpCall:
    """A call of `rpc`. Made in the event loop."""

    def __init__(self, admission: Admission, rpc: Rpc, caller: Caller) -> None:
        self._admission = admission
        self._rpc = rpc
        self._caller = caller
        self._deadline = caller.deadline
        self._loop = asyncio.get_running_loop()
        self._outcome: asyncio.Future[bytes | Failed] = self._loop.create_future()
        self._waiting: concurrent.futures.Future[Any] | None = None
        self._turn: Turn | None = None
        self._callbacks: list[Callable[[], None]] = []
        self._is_over = False

    async def outcome(self, message: object, size: int, work: Work, left: Coroutine[Any, Any, None]) -> bytes:
        """The reply. `message` has `size` bytes; `left` returns when the client has left. Raises Failed.

        Raises Cancelled when the client has left: then nobody reads an answer.
        """
        if self._deadline is not None and self._deadline <= time.monotonic():
            left.close()
            raise failed(DeadlineExceeded())
        turn = self._turn = Turn(self._admission, self._rpc.entrance(size), self._caller.name, size)
        turn.access = self._caller.access
        turn.call = Call(work=lambda: self._work(turn, message, work), refuse=self._fail, cancel=self._cancel)
        leaving = asyncio.ensure_future(left)
        try:
            self._admission.start(turn)
            ends: set[asyncio.Future[Any]] = {self._outcome, leaving}
            await asyncio.wait(ends, timeout=self.time_remaining(), return_when=asyncio.FIRST_COMPLETED)
            if self._outcome.done():
                reply = self._outcome.result()
                if isinstance(reply, Failed):
                    raise reply
                return reply
            if leaving.done():
                raise Cancelled()
            raise failed(DeadlineExceeded())
        finally:
            leaving.cancel()
            self._leave()

    def ask(self, question: Coroutine[Any, Any, _Value]) -> _Value:
        """The result of a coroutine in the event loop, for the thread of the RPC. Raises Cancelled if the call ends."""
        waiting = self._waiting = asyncio.run_coroutine_threadsafe(question, self._loop)
        if self._is_over:
            waiting.cancel()
        try:
            answer: _Value = waiting.result()
            return answer
        except (concurrent.futures.CancelledError, OSError):
            raise Cancelled() from None
        finally:
            self._waiting = None

    def time_remaining(self) -> float | None:
        """See grpc.ServicerContext."""
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    def is_active(self) -> bool:
        """See grpc.ServicerContext."""
        return not self._is_over

    def peer(self) -> str:
        """See grpc.ServicerContext."""
        return self._caller.name

    def invocation_metadata(self) -> Iterable[tuple[str, str]]:
        """See grpc.ServicerContext: the headers, in lower case."""
        return self._caller.metadata

    def add_callback(self, callback: Callable[[], None]) -> bool:
        """See grpc.ServicerContext."""
        self._callbacks.append(callback)
        return not self._is_over

    def abort_with_status(self, status: Any) -> NoReturn:
        """See grpc.ServicerContext. Raises Failed."""
        raise Failed(Status.FromString(dict(status.trailing_metadata)[_DETAILS]))

    def _work(self, turn: Turn, message: object, work: Work) -> None:
        """Runs the call in the current thread, or places it in another lane. Requires: a place was granted."""
        turn.begin()
        if not read_in_lane(self._admission, self._rpc, turn, message):
            return
        try:
            self._settle(work(turn))
        except Exception as error:
            self._settle(failed(error))
        finally:
            turn.request = None
            turn.end()

    def _fail(self, error: EngineError) -> None:
        self._settle(failed(error))

    def _cancel(self, error: EngineError) -> None:
        """Ends the call with `error`, at any time, even if its client does not read."""
        self._fail(error)
        self._leave()

    def _settle(self, outcome: bytes | Failed) -> None:
        """Tells the event loop the outcome. What is told later does not count."""

        def settle() -> None:
            if not self._outcome.done():
                self._outcome.set_result(outcome)

        with contextlib.suppress(RuntimeError):  # the loop has ended, and with it the connection
            self._loop.call_soon_threadsafe(settle)

    def _leave(self) -> None:
        """Says that the call is over: it was answered, or its client has left."""
        if self._is_over:
            return
        self._is_over = True
        if self._turn is not None:
            self._turn.caller_left()
        waiting = self._waiting
        if waiting is not None:
            waiting.cancel()
        for callback in self._callbacks:
            callback()
