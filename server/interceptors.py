"""What surrounds every handler of ours: api-key, parsing, deadline, errors and the request log. Knows no service."""

import hmac
import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import grpc
from google.protobuf.message import DecodeError, Message
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from server.errors import Unauthenticated, code_of, status_of
from server.lanes.caller import caller_of
from storage.budget import Budget
from storage.errors import Cancelled, InvalidRequest, ReplyTooLarge
from storage.meter import Meter

API_KEY_METADATA = "api-key"
LONGEST_DEADLINE_SECONDS = 10 * 365 * 86_400
"""What lies further away is no deadline: gRPC gives one in the year 2262 when the caller set none."""

BROKEN_STREAM_SECONDS = 0.1
"""How long the end of an upload is doubted: a part of a stream must not be taken for the whole."""

logger = logging.getLogger("server.requests")

Handler = Callable[[Any, Budget], Message]
"""An RPC: validates and converts a request, calls the engine, converts back. Raises errors by meaning."""
Download = Callable[[Any, Budget], Iterator[Message]]
"""An RPC that answers with many messages."""
Upload = Callable[[Iterator[Any], Budget], Message]
"""An RPC that is asked with many messages."""
AnyHandler = Callable[[Any, Budget], Any]
RawHandler = Callable[[bytes, grpc.ServicerContext], bytes]
RawDownload = Callable[[bytes, grpc.ServicerContext], Iterator[bytes]]
RawUpload = Callable[[Iterator[bytes], grpc.ServicerContext], bytes]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request: a reply, or the status of its failure."""

    collection: str
    reply: bytes = b""
    failure: Status | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Interceptor:
    """Makes handlers fit for gRPC. `api_key` None asks for none; `slow_ms` 0 logs no slow requests.

    `max_reply_bytes` and `max_request_memory` are what each request's budget allows; None: all.
    """

    api_key: str | None = None
    slow_ms: float = 0.0
    max_reply_bytes: int | None = None
    max_request_memory: int | None = None

    def around(self, method: str, request_type: type[Message], handler: Handler) -> RawHandler:
        """The handler of bytes for the RPC `method`. Equal replies give equal bytes."""

        def handle(raw: bytes, context: grpc.ServicerContext) -> bytes:
            started = time.perf_counter()
            outcome = self._run(raw, context, request_type, handler)
            self._log(method, outcome, (time.perf_counter() - started) * 1e3)
            if outcome.failure is not None:
                context.abort_with_status(rpc_status.to_status(outcome.failure))
            return outcome.reply

        return handle

    def around_download(self, method: str, request_type: type[Message], handler: Download) -> RawDownload:
        """The handler of bytes for the RPC `method`, which answers with a stream."""

        def handle(raw: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
            started = time.perf_counter()
            collection, failure = "", None
            try:
                self._authenticate(context)
                request = _parse(request_type, raw)
                collection = getattr(request, "collection_name", "")
                for reply in handler(request, self._budget_of(context)):
                    yield self._bytes_of(reply)
            except Exception as error:
                failure = status_of(error)
            self._log(method, Outcome(collection, failure=failure), (time.perf_counter() - started) * 1e3)
            if failure is not None:
                context.abort_with_status(rpc_status.to_status(failure))

        return handle

    def around_upload(self, method: str, request_type: type[Message], handler: Upload) -> RawUpload:
        """The handler of bytes for the RPC `method`, which is asked with a stream."""

        def handle(raws: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
            started = time.perf_counter()
            try:
                self._authenticate(context)
                reply = handler(_parse_all(request_type, raws, context), self._budget_of(context))
                outcome = Outcome("", self._bytes_of(reply))
            except Exception as error:
                outcome = Outcome("", failure=status_of(error))
            self._log(method, outcome, (time.perf_counter() - started) * 1e3)
            if outcome.failure is not None:
                context.abort_with_status(rpc_status.to_status(outcome.failure))
            return outcome.reply

        return handle

    def _run(self, raw: bytes, context: grpc.ServicerContext, request_type: type[Message], handler: Handler) -> Outcome:
        collection = ""
        try:
            self._authenticate(context)
            request = _parse(request_type, raw)
            collection = getattr(request, "collection_name", "")
            reply = handler(request, self._budget_of(context))
            return Outcome(collection, self._bytes_of(reply))
        except Exception as error:
            return Outcome(collection, failure=status_of(error))

    def _bytes_of(self, reply: Message) -> bytes:
        """The reply as bytes. What adds up to much is counted while it is read; this looks once more at the whole."""
        size = reply.ByteSize()
        if self.max_reply_bytes is not None and size > self.max_reply_bytes:
            raise ReplyTooLarge(size=size, maximum=self.max_reply_bytes)
        return reply.SerializeToString(deterministic=True)

    def _budget_of(self, context: grpc.ServicerContext) -> Budget:
        return replace(budget_of(context), meter=Meter(self.max_request_memory, self.max_reply_bytes))

    def _authenticate(self, context: grpc.ServicerContext) -> None:
        if self.api_key is None:
            return
        given = dict(context.invocation_metadata()).get(API_KEY_METADATA, "")
        if not hmac.compare_digest(_bytes(given), self.api_key.encode()):
            raise Unauthenticated()

    def _log(self, method: str, outcome: Outcome, milliseconds: float) -> None:
        slow = 0 < self.slow_ms <= milliseconds
        level = logging.WARNING if slow else logging.DEBUG
        if logger.isEnabledFor(level):
            code = "OK" if outcome.failure is None else code_of(outcome.failure)
            word = "slow request" if slow else "request"
            fields = {"method": method, "collection": outcome.collection, "ms": round(milliseconds, 3), "status": code}
            logger.log(level, word, extra={"fields": fields})


def budget_of(context: grpc.ServicerContext) -> Budget:
    """The budget of the caller: who it is, its deadline, and whether it is still there."""
    seconds = context.time_remaining()
    deadline = None if seconds is None or seconds > LONGEST_DEADLINE_SECONDS else time.monotonic() + seconds
    return Budget(deadline, is_cancelled=lambda: not context.is_active(), caller=caller_of(context))


def _parse(request_type: type[Message], raw: bytes) -> Message:
    # Here and not in gRPC's deserializer, whose failures reach the caller as INTERNAL.
    try:
        return request_type.FromString(raw)
    except DecodeError as error:
        raise InvalidRequest("", f"the request is no {request_type.DESCRIPTOR.full_name}: {error}") from None


def _parse_all(request_type: type[Message], raws: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[Message]:
    """The messages of a stream. Raises Cancelled when it breaks off."""
    ended = threading.Event()
    if not context.add_callback(ended.set):
        raise Cancelled()
    try:
        for raw in raws:
            yield _parse(request_type, raw)
    except grpc.RpcError:
        raise Cancelled() from None
    # gRPC reports a stream that broke off as one that ended, and a moment later that the call was cancelled.
    if ended.wait(BROKEN_STREAM_SECONDS):
        raise Cancelled()


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()
