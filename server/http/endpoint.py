"""Answers one RPC of a request: unary, or a stream in one direction, in the protocol of Connect.

See https://connectrpc.com/docs/protocol. Requests compressed by gzip are read; replies are not compressed.
"""

import json
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message

from server.http.bodies import COMPRESSED, LAST, PREFIX, Arriving, Body
from server.http.calls import Caller, HttpCall, Metadata
from server.http.codecs import Codec, JsonCodec, ProtobufCodec, inflated
from server.http.errors import Failed, Refused, error_object, failed, http_status_of
from server.lanes import Admission, Lane, Rpc, Turn
from storage.errors import Cancelled, EngineError, InvalidRequest, NotImplementedYet

MAX_TIMEOUT_DIGITS = 10
"""Digits of a deadline in milliseconds, by the specification."""
_UNARY, _STREAM = "application/", "application/connect+"

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Method:
    """An RPC, as gRPC has it, with the types of its messages."""

    rpc: Any
    request_type: type[Message]
    reply_type: type[Message]
    is_upload: bool
    is_download: bool

    @property
    def streams(self) -> bool:
        """Whether one side sends more than one message."""
        return self.is_upload or self.is_download


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Bytes of a message, of all requests being received, and of memory for parsing one."""

    message_bytes: int
    arriving_bytes: int
    request_memory: int | None


@dataclass(frozen=True, slots=True)
class _DecodingRpc:
    """An RPC whose requests come in a form of HTTP. See server.lanes.Rpc."""

    rpc: Rpc
    decode: Callable[[bytes], bytes]
    receives: bool

    def authenticate(self, metadata: Any) -> object:
        """See Rpc."""
        return self.rpc.authenticate(metadata)

    def entrance(self, size: int) -> Lane:
        """See Rpc."""
        return self.rpc.entrance(size)

    def read(self, message: bytes, access: object) -> object:
        """See Rpc."""
        try:
            return self.rpc.read(self.decode(message), access)
        except Exception as error:
            return error

    def lane_of(self, request: object, size: int) -> Lane:
        """See Rpc."""
        return self.rpc.lane_of(request, size)


def metadata_of(headers: Mapping[str, str]) -> Metadata:
    """Headers, named in lower case, as the metadata of a call. A bearer token is an api-key."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    bearer = scheme.lower() == "bearer" and "api-key" not in headers
    return (*headers.items(), *([("api-key", token.strip())] if bearer else []))


class Endpoint:
    """Answers the RPCs in `methods`, by names such as `headwater.v1.Points/Query`. An ASGI application."""

    def __init__(self, methods: Mapping[str, Method], admission: Admission, bounds: Bounds) -> None:
        self._methods = methods
        self._admission = admission
        self._bounds = bounds
        self._arriving = Arriving(bounds.arriving_bytes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        request = _Request(scope, receive, send, self._admission, self._bounds, self._arriving)
        try:
            await request.answer(self._method(scope))
        except Refused as error:
            headers = {"content-type": "application/json", **error.headers}
            await _respond(send, error.http_status, headers, error.body)
        except Cancelled:
            pass  # nobody reads an answer
        finally:
            request.body.drop()

    def _method(self, scope: Scope) -> Method:
        """The RPC of a path. Raises Refused."""
        name = scope["path"].lstrip("/")
        method = self._methods.get(name)
        if method is None:
            raise Refused(404, "unimplemented", f"there is no RPC {name}")
        if scope["method"] != "POST":
            raise Refused(405, "unimplemented", f"{name} is called by POST", {"allow": "POST"})
        return method


class _Request:
    """One request, whose path is that of an RPC."""

    def __init__(
        self, scope: Scope, receive: Receive, send: Send, admission: Admission, bounds: Bounds, arriving: Arriving
    ) -> None:
        self._headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        self._caller = f"http:{scope['client'][0]}" if scope.get("client") else "http:unix"
        self._send = send
        self._admission = admission
        self._bounds = bounds
        self.body = Body(receive, arriving, bounds.message_bytes)

    async def answer(self, method: Method) -> None:
        """Raises Refused, and Cancelled if the client has left."""
        codec = self._codec(method)
        answer = self._answer_stream if method.streams else self._answer_unary
        await answer(method, codec)

    async def _answer_unary(self, method: Method, codec: Codec) -> None:
        compressed = self._compression("content-encoding")

        def decode(message: bytes) -> bytes:
            return codec.decode(inflated(message, self._bounds.message_bytes) if compressed else message)

        def work(turn: Turn) -> bytes:
            return codec.encode(method.rpc(turn, call))

        try:
            call = self._call(method, decode)
            message = await self.body.whole(_length(self._headers.get("content-length", "")))
            reply = await call.outcome(message, len(message), work, self.body.left())
        except (EngineError, Failed) as error:
            if isinstance(error, Cancelled):
                raise
            status = failed(error).status
            body = json.dumps(error_object(status), ensure_ascii=False).encode()
            await _respond(self._send, http_status_of(status), {"content-type": "application/json"}, body)
        else:
            await _respond(self._send, 200, {"content-type": _UNARY + codec.name}, reply)

    async def _answer_stream(self, method: Method, codec: Codec) -> None:
        compressed = self._compression("connect-content-encoding")

        def decode(flags: int, message: bytes) -> bytes:
            if flags & COMPRESSED and not compressed:
                raise InvalidRequest("", "a message is compressed, and connect-content-encoding does not say how")
            whole = inflated(message, self._bounds.message_bytes) if flags & COMPRESSED else message
            return codec.decode(whole)

        def uploaded() -> Iterator[bytes]:
            while (message := call.ask(self.body.message())) is not None:
                yield decode(*message)

        def work(turn: Turn) -> bytes:
            if method.is_upload:
                return _framed(codec.encode(method.rpc(turn, call)))
            for reply in method.rpc(turn, call):
                call.ask(self._send_part(_framed(codec.encode(reply))))
            return b""

        await _start(self._send, 200, {"content-type": _STREAM + codec.name})
        last: dict[str, Any] = {}
        try:
            if method.is_upload:
                call = self._call(method, codec.decode)
                reply = await call.outcome(uploaded(), 0, work, self.body.left())
            else:
                call = self._call(method, lambda message: message)
                flags, message = await self._only_message()
                reply = await call.outcome(decode(flags, message), len(message), work, self.body.left())
            await self._send_part(reply)
        except (EngineError, Failed) as error:
            if isinstance(error, Cancelled):
                raise
            last = {"error": error_object(failed(error).status)}
        end = json.dumps(last, ensure_ascii=False).encode()
        await self._send_part(PREFIX.pack(LAST, len(end)) + end)
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    def _call(self, method: Method, decode: Callable[[bytes], bytes]) -> HttpCall:
        """The call, before its message comes. Raises EngineError if the server stops, or the api-key is wrong."""
        self._admission.check_open()
        metadata = metadata_of(self._headers)
        access = method.rpc.authenticate(metadata)
        rpc = _DecodingRpc(method.rpc, decode, method.rpc.receives)
        caller = Caller(name=self._caller, metadata=metadata, access=access, deadline=self._deadline())
        return HttpCall(self._admission, rpc, caller)

    def _codec(self, method: Method) -> Codec:
        """Raises Refused if the content type is no form of the messages of this method."""
        start = _STREAM if method.streams else _UNARY
        kind = self._headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind == start + "proto":
            return ProtobufCodec()
        if kind == start + "json":
            return JsonCodec(method.request_type, method.reply_type, self._bounds.request_memory)
        forms = f"{start}json or {start}proto"
        raise Refused(415, "unknown", f"the content type must be {forms}, not {kind!r}", {"accept-post": forms})

    def _compression(self, header: str) -> bool:
        """Whether messages may be compressed by gzip. Raises Refused if they are compressed in another way."""
        name = self._headers.get(header, "identity").strip().lower()
        if name not in ("identity", "gzip"):
            raise Refused(501, "unimplemented", f"{header} {name!r} is not known; gzip and identity are")
        version = self._headers.get("connect-protocol-version", "1")
        if version != "1":
            raise Refused(400, "invalid_argument", f"connect-protocol-version {version!r} is not known; 1 is")
        return bool(name == "gzip")

    def _deadline(self) -> float | None:
        """On the clock of time.monotonic. Raises InvalidRequest."""
        text = self._headers.get("connect-timeout-ms")
        if text is None:
            return None
        if not (text.isascii() and text.isdigit() and len(text) <= MAX_TIMEOUT_DIGITS):
            rule = f"up to {MAX_TIMEOUT_DIGITS} digits"
            raise InvalidRequest("connect-timeout-ms", f"{text!r} is no number of milliseconds of {rule}")
        return time.monotonic() + int(text) / 1e3

    async def _only_message(self) -> tuple[int, bytes]:
        """The message of a stream that has one. Raises InvalidRequest."""
        first = await self.body.message()
        if first is None:
            raise InvalidRequest("", "the call has no message")
        if await self.body.message() is not None:
            raise NotImplementedYet("the method takes one message, and the request has more")
        return first

    async def _send_part(self, part: bytes) -> None:
        if part:
            await self._send({"type": "http.response.body", "body": part, "more_body": True})


def _framed(message: bytes) -> bytes:
    """The message as one of a stream."""
    return PREFIX.pack(0, len(message)) + message


def _length(text: str) -> int:
    """A length in a header; 0 if there is none."""
    return int(text) if text.isascii() and text.isdigit() else 0


async def _start(send: Send, status: int, headers: Mapping[str, str]) -> None:
    pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})


async def _respond(send: Send, status: int, headers: Mapping[str, str], body: bytes) -> None:
    await _start(send, status, {**headers, "content-length": str(len(body))})
    await send({"type": "http.response.body", "body": body, "more_body": False})
