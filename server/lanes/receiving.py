"""Receives calls: the message of a call arrives, and the call waits for its turn, before it takes a thread.

gRPC itself gives a thread to each call whose headers have come, so callers that send only headers would stop the
server. This module replaces gRPC's thread pool. It uses private parts of `grpc._server`: the arguments of
`Receiver.submit`, and the state of a call in `_Arrival`. All tests of serving fail when these parts change.
"""

import logging
from collections.abc import Callable
from typing import Any

import grpc
from grpc import _server
from grpc._cython import cygrpc  # type: ignore[attr-defined]
from grpc_status import rpc_status

from server.errors import status_of
from server.lanes.admission import Admission
from server.lanes.arrivals import Arrivals
from server.lanes.caller import caller_of_call
from server.lanes.placing import Rpc, read_in_lane
from server.lanes.turn import Call, Turn
from storage.errors import DeadlineExceeded, EngineError, InvalidRequest

logger = logging.getLogger(__name__)


class Receiver:
    """Replaces the thread pool of `grpc.server`."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._arrivals = Arrivals()

    def submit(
        self, run: Any, respond: Any, event: Any, state: Any, rpc: Rpc, argument: Any, *codecs: Any
    ) -> "_Accepted":
        """See grpc._server: `run(respond, event, state, rpc, argument, *codecs)` answers the call. Does not wait."""

        def answer(handler: Any, given: Callable[[], Any]) -> None:
            run(respond, event, state, handler, given, *codecs)

        arrival = _Arrival(self._admission, rpc, event, state, answer)
        try:
            self._admission.check_open()
            arrival.access = rpc.authenticate(event.invocation_metadata)
        except EngineError as error:
            arrival.refuse(error)
        else:
            if rpc.receives:
                arrival.await_message(self._arrivals)
            else:
                arrival.start(argument(), 0)
        return _ACCEPTED


class _Accepted:
    """Replaces the future that a thread pool returns. gRPC calls only this method of it."""

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        """Does nothing. gRPC counts running calls with it, but here lanes count them."""


_ACCEPTED = _Accepted()


class _Arrival:
    """One call until it has a thread. gRPC's own thread calls its methods, so they do not wait; only `_work` may."""

    __slots__ = (
        "_admission",
        "_answer",
        "_arrivals",
        "_caller",
        "_event",
        "_message",
        "_rpc",
        "_state",
        "_turn",
        "access",
    )

    def __init__(self, admission: Admission, rpc: Rpc, event: Any, state: Any, answer: Callable[..., None]) -> None:
        self._admission = admission
        self._rpc = rpc
        self._event = event
        self._state = state
        self._answer = answer
        self._arrivals: Arrivals | None = None
        self._caller = caller_of_call(event.call)
        self._message: Any = None
        self._turn: Turn | None = None
        self.access: object = None
        """What the caller may do."""

    def await_message(self, arrivals: Arrivals) -> None:
        """Receives the message when it is the call's turn.

        Requires: the lock of the call's state is held, as it is when gRPC submits a call."""
        self._arrivals = arrivals
        if not arrivals.start(self._caller, self) and self._state.callbacks is not None:
            self._state.callbacks.append(lambda: arrivals.ended(self._caller, self))

    def receive(self) -> bool:
        """See Arrival."""
        with self._state.condition:
            if not _server._is_rpc_state_active(self._state):
                return False
            self._receive()
            return True

    def give_up(self) -> None:
        """See Arrival."""
        self._cancel(DeadlineExceeded("the message of the call did not come"))

    def _receive(self) -> None:
        came = _server._receive_message(self._state, self._event.call, None)

        def received(event: Any) -> Any:
            finished = came(event)
            try:
                assert self._arrivals is not None
                self._arrivals.ended(self._caller, self)
                self._received()
            except Exception:
                logger.exception("a call could not be placed")
                self._event.call.cancel(grpc.StatusCode.INTERNAL.value[0], "internal error")
            return finished

        self._state.due.add(_server._RECEIVE_MESSAGE_TOKEN)
        self._event.call.start_server_batch((cygrpc.ReceiveMessageOperation(0),), received)

    def start(self, message: Any, size: int) -> None:
        """Places the call in its first lane."""
        self._message = message
        turn = self._turn = Turn(self._admission, self._rpc.entrance(size), self._caller, size)
        turn.call = Call(work=self._work, refuse=self.refuse, cancel=self._cancel)
        turn.access = self.access
        with self._state.condition:
            if self._state.callbacks is None:
                return
            self._state.callbacks.append(turn.caller_left)
        self._admission.start(turn)

    def refuse(self, error: EngineError) -> None:
        """Answers the call with `error`, in a thread."""
        self._message = None

        def refused(given: Any, context: grpc.ServicerContext) -> None:
            context.abort_with_status(rpc_status.to_status(status_of(error)))

        self._admission.run(lambda: self._answer(refused, _nothing))

    def _received(self) -> None:
        with self._state.condition:
            message, self._state.request = self._state.request, None
            if not _server._is_rpc_state_active(self._state):
                return
        if message is None:
            self.refuse(InvalidRequest("", "the call has no message"))
        else:
            self.start(message, len(message))

    def _work(self) -> None:
        """Runs the call in the current thread, or places it in another lane. Requires: a place was granted."""
        turn = self._turn
        assert turn is not None
        turn.begin()
        is_placed = read_in_lane(self._admission, self._rpc, turn, self._message)
        self._message = None
        if not is_placed:
            return
        try:
            self._answer(self._rpc, self._given)
        finally:
            turn.request = self._turn = None
            turn.end()

    def _given(self) -> Turn | None:
        """What gRPC passes to the RPC; None if the caller has left."""
        with self._state.condition:
            return self._turn if _server._is_rpc_state_active(self._state) else None

    def _cancel(self, error: EngineError) -> None:
        """Ends the call with the status of `error`, at any time, even if its client does not read."""
        status = status_of(error)
        self._event.call.cancel(status.code, status.message)


def _nothing() -> bytes:
    return b""
