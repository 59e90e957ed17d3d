"""Makes the call of a case and says what came of it. Judges nothing."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import grpc
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from google.rpc.status_pb2 import Status

from tests.attack.cases import Case, Manner

MOST_REPLIES = 200
CANCEL_SECONDS = 0.01
DETAILS = "grpc-status-details-bin"
UNLIMITED = [
    *(("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)),
    *(("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1)),
]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a call ended. `reason` is that of our details, None without them; `fields` are those that are wrong."""

    code: grpc.StatusCode
    message: str = ""
    reason: str | None = None
    fields: tuple[str, ...] = ()
    replies: tuple[bytes, ...] = ()
    seconds: float = 0.0


def make_call(case: Case, channel: grpc.Channel) -> Outcome:
    """The outcome of a case. Waits until the call ended, which its deadline bounds."""
    started = time.monotonic()
    released = threading.Event()
    call: Any = None
    replies: list[bytes] = []
    try:
        call = _start(case, channel, released)
        if case.manner is not Manner.PLAIN:
            timer = threading.Timer(CANCEL_SECONDS, call.cancel)
            timer.start()
        endless = case.rpc.name.endswith("/Watch")
        for reply in call:
            replies.append(reply)
            if endless or len(replies) == MOST_REPLIES:
                call.cancel()
                return Outcome(code=grpc.StatusCode.OK, replies=tuple(replies), seconds=time.monotonic() - started)
        outcome = Outcome(code=grpc.StatusCode.OK, replies=tuple(replies))
    except grpc.RpcError as error:
        outcome = _outcome(error, tuple(replies))
    finally:
        released.set()
    return Outcome(**{**vars(outcome), "seconds": time.monotonic() - started})


def _start(case: Case, channel: grpc.Channel, released: threading.Event) -> Any:
    """The call as an iterator of its replies. Every RPC is one of streams on the wire."""
    compression = grpc.Compression.Gzip if case.compressed else None
    settings: Any = {"timeout": case.timeout, "metadata": tuple(case.metadata), "compression": compression}
    if len(case.messages) == 1 and case.manner is not Manner.OPEN:
        return channel.unary_stream(case.rpc.path, None, None)(case.messages[0], **settings)

    def messages() -> Iterator[bytes]:
        yield from case.messages
        if case.manner is Manner.OPEN:
            released.wait(case.timeout)

    return channel.stream_stream(case.rpc.path, None, None)(messages(), **settings)


def _outcome(error: Any, replies: tuple[bytes, ...]) -> Outcome:
    info, bad, reason = ErrorInfo(), BadRequest(), None
    for name, value in error.trailing_metadata() or ():
        if name == DETAILS:
            for detail in Status.FromString(value).details:
                if detail.Unpack(info):
                    reason = info.reason
                detail.Unpack(bad)
    fields = tuple(violation.field for violation in bad.field_violations)
    return Outcome(code=error.code(), message=error.details() or "", reason=reason, fields=fields, replies=replies)
