"""RPCs as gRPC calls them: parse, run a handler within its budget, send errors. It knows no service.

The interceptor does what is the same before and after every handler. The lanes decide when a call may run.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

import grpc
from google.protobuf.message import DecodeError, Message

from server.convert import KnownRequest
from server.errors import status_of
from server.keys import Access, collections_of
from server.lanes import Admission, Lane, Turn, kind_of, kind_of_points
from server.rpc.interceptors import Interceptor, Outcome
from server.rpc.message_sizes import BYTES_PER_BYTE, memory_of
from server.rpc.running import Running
from server.wire import reader_of, size_of
from storage.budget import Budget
from storage.errors import Cancelled, EngineError, InvalidRequest
from storage.meter import Meter

BROKEN_STREAM_SECONDS = 0.1
"""When an upload ends, the server waits so long for a cancellation.

Else a part of a stream could pass for the whole.
"""

Handler = Callable[[Any, Budget], Message | bytes]
"""An RPC: validates and converts a request, calls the engine, converts back. Raises errors by meaning. A reply may be
the bytes of its message."""
Download = Callable[[Any, Budget], Iterator[Message]]
"""An RPC that answers with a stream of messages."""
Upload = Callable[[Iterator[Any], Budget], Message]
"""An RPC that receives a stream of messages."""
AnyHandler = Callable[[Any, Budget], Any]
Given = bytes | Turn
"""What gRPC passes to an RPC: the bytes of its message; or, with lanes, a turn that has read them."""


class _Rpc:
    """What all RPCs have in common. See server.lanes.receiving.Rpc for what lanes need."""

    receives = True

    def __init__(
        self,
        interceptor: Interceptor,
        method: str,
        request_type: type[Message],
        handler: Any,
        admission: Admission | None = None,
        read: Callable[[bytes], Any] | None = None,
    ) -> None:
        """`method` is such as `headwater.v1.Points/Search`. `admission` None: there are no lanes. `read`: what reads
        requests from their bytes; None: server.wire."""
        self.method = method
        self._admission = admission
        self._interceptor = interceptor
        self._request_type = request_type
        self._read_request = read or reader_of(request_type)
        self._handler = handler

    def authenticate(self, metadata: Any) -> Access:
        """See Rpc."""
        try:
            return self._interceptor.permissions.access_of(self.method, metadata)
        except EngineError as error:
            self._interceptor.refused(self.method, error)
            raise

    def read(self, message: bytes, access: Access) -> object:
        """See Rpc."""
        try:
            return self._parse(message, access)
        except Exception as error:
            return error

    def lane_of(self, request: object, size: int) -> Lane:
        """See Rpc."""
        return self._lane(request, size)

    def entrance(self, size: int) -> Lane:
        """See Rpc."""
        return self._lane(None, size)

    def _lane(self, request: object, size: int) -> Lane:
        assert self._admission is not None
        if isinstance(request, KnownRequest):
            return self._admission.of_kind(kind_of_points(request.points, size))
        known = None if isinstance(request, Exception) else request
        return self._admission.of_kind(kind_of(self.method, known, size))

    def _standing(self, given: object) -> AbstractContextManager[None]:
        """A context in which a stream waits for its client, at most STANDING_SECONDS."""
        if self._admission is None or not isinstance(given, Turn):
            return nullcontext()
        return self._admission.standing(given)

    def _access(self, given: object, context: grpc.ServicerContext) -> Access:
        """What the caller may do. Raises what authenticating raises."""
        if isinstance(given, Turn):
            assert isinstance(given.access, Access)
            return given.access
        return self.authenticate(context.invocation_metadata())

    def _request(self, given: Given, access: Access) -> Any:
        """The request, as it was sent. Raises what reading raises."""
        if isinstance(given, Turn):
            if isinstance(given.request, Exception):
                raise given.request
            return given.request
        return self._parse(given, access)

    def _permitted(self, request: Any, access: Access, budget: Budget) -> Any:
        """The request, as the caller may make it. Raises PermissionDenied."""
        if access.is_whole:
            return request
        return self._interceptor.permissions.check(self.method, access, request, budget)

    def _parse(self, raw: bytes, access: Access) -> Any:
        """The request, as its reader reads it; for a key that does not reach everything, the whole message.

        Raises RequestTooLarge when it would take too much memory, and InvalidRequest when it is malformed.
        """
        bound = self._interceptor.max_request_memory
        Meter(bound).hold(memory_of(self._request_type.DESCRIPTOR, raw, bound), "the request's message")
        # This is not done in gRPC's deserializer, because failures there reach the caller as INTERNAL.
        try:
            return self._read_request(raw) if access.is_whole else self._request_type.FromString(raw)
        except DecodeError as error:
            kind = self._request_type.DESCRIPTOR.full_name
            raise InvalidRequest("", f"the request is not a {kind}: {error}") from None


class UnaryRpc(_Rpc):
    """An RPC of one message each way, as gRPC calls it."""

    def __call__(self, given: Given, context: grpc.ServicerContext) -> bytes:
        running = self._interceptor.begin(self.method, given, context)
        collection = ""
        try:
            access = running.access = self._access(given, context)
            request = self._request(given, access)
            collection = getattr(request, "collection_name", "")
            budget = self._interceptor.budget(running, given, context)
            budget.hold(BYTES_PER_BYTE * size_of(request), "the request's message")
            permitted = self._permitted(request, access, budget)
            if access.is_whole:
                reply = self._handler(permitted, budget)
            else:
                reply = self._interceptor.permissions.answer(self.method, access, permitted, self._handler, budget)
            outcome = Outcome(collection, self._interceptor.bytes_of(reply, budget))
        except Exception as error:
            outcome = Outcome(collection, failure=status_of(error))
        return self._interceptor.finish(running, outcome, context)


class _StreamRpc(_Rpc):
    """What RPCs that stream have in common: a lane."""

    def _lane(self, request: object, size: int) -> Lane:
        assert self._admission is not None
        return self._admission.streams


class DownloadRpc(_StreamRpc):
    """An RPC that answers with a stream of messages."""

    def __call__(self, given: Given, context: grpc.ServicerContext) -> Iterator[bytes]:
        running = self._interceptor.begin(self.method, given, context)
        outcome = Outcome("")
        try:
            access = running.access = self._access(given, context)
            request = self._request(given, access)
            outcome = Outcome(getattr(request, "collection_name", ""))
            budget = self._interceptor.budget(running, given, context)
            for reply in self._handler(self._permitted(request, access, budget), budget):
                data = self._interceptor.bytes_of(reply, budget)
                running.sent += len(data)
                with self._standing(given), budget.idle():
                    yield data
        except GeneratorExit:  # the client has left
            self._interceptor.note(running, replace(outcome, failure=status_of(Cancelled())))
            raise
        except Exception as error:
            outcome = replace(outcome, failure=status_of(error))
        self._interceptor.finish(running, outcome, context)


class UploadRpc(_StreamRpc):
    """An RPC that receives a stream of messages."""

    receives = False

    def __call__(self, given: Iterator[bytes] | Turn, context: grpc.ServicerContext) -> bytes:
        running = self._interceptor.begin(self.method, given, context)
        try:
            running.access = self._access(given, context)
            budget = self._interceptor.budget(running, given, context)
            messages = given.request if isinstance(given, Turn) else given
            reply = self._handler(self._parsed(messages, running, given, context, budget), budget)
            outcome = Outcome("", self._interceptor.bytes_of(reply, budget))
        except Exception as error:
            outcome = Outcome("", failure=status_of(error))
        return self._interceptor.finish(running, outcome, context)

    def _parsed(
        self, messages: Any, running: Running, given: object, context: grpc.ServicerContext, budget: Budget
    ) -> Iterator[Message]:
        """The messages of a stream. Raises Cancelled if the stream breaks off, and PermissionDenied."""
        access, is_first = running.access, True
        ended = threading.Event()
        if not context.add_callback(ended.set):
            raise Cancelled()
        try:
            while True:
                with self._standing(given), budget.idle():
                    message = next(messages, None)
                if message is None:
                    break
                running.received += len(message)
                parsed = self._parse(message, access)
                # Only the first message of a stream names collections, but each might.
                if is_first or next(collections_of(parsed), None) is not None:
                    parsed = self._permitted(parsed, access, budget)
                is_first = False
                yield parsed
        except grpc.RpcError:
            raise Cancelled() from None
        # gRPC reports a broken stream first as ended, and a moment later as cancelled.
        with budget.idle():
            if ended.wait(BROKEN_STREAM_SECONDS):
                raise Cancelled()
