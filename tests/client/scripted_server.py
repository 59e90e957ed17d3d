"""A gRPC server that answers as a test tells it to: the outside world as the client sees it. Knows no vectors."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import grpc
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

Answer = Callable[["Received"], Message]


@dataclass(frozen=True)
class Received:
    """One request as it arrived. `seconds_left` is its deadline, None when it has none."""

    path: str
    request: bytes
    metadata: dict[str, str]
    seconds_left: float | None


class Refusal(Exception):
    """Raised by an answer: ends the RPC with a status and details."""

    def __init__(self, code: grpc.StatusCode, message: str = "", *details: Message) -> None:
        super().__init__(message)
        self.code, self.message, self.details = code, message, details

    def metadata(self) -> tuple[tuple[str, bytes], ...]:
        if not self.details:
            return ()
        status = status_pb2.Status(code=self.code.value[0], message=self.message)
        for detail in self.details:
            status.details.add().Pack(detail)
        return (("grpc-status-details-bin", status.SerializeToString()),)


def error_info(reason: str, domain: str = "headwater", **metadata: str) -> Message:
    info: Message = error_details_pb2.ErrorInfo(reason=reason, domain=domain, metadata=metadata)
    return info


def bad_request(field: str, description: str) -> Message:
    violation = error_details_pb2.BadRequest.FieldViolation(field=field, description=description)
    request: Message = error_details_pb2.BadRequest(field_violations=[violation])
    return request


@dataclass
class ScriptedServer(grpc.GenericRpcHandler):  # type: ignore[type-arg]  # not generic at run time
    """Answers each RPC by `answer` and remembers what it received."""

    address: str = ""
    answer: Answer | None = None
    received: list[Received] = field(default_factory=list)

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[bytes, bytes]":
        path = handler_call_details.method

        def respond(request: bytes, context: grpc.ServicerContext) -> bytes:
            metadata = {key: str(value) for key, value in context.invocation_metadata()}
            remaining = context.time_remaining()
            seconds = None if remaining is None or remaining > 10**6 else remaining
            self.received.append(Received(path, request, metadata, seconds))
            assert self.answer is not None
            try:
                return self.answer(self.received[-1]).SerializeToString()
            except Refusal as refusal:
                context.set_trailing_metadata(refusal.metadata())
                context.abort(refusal.code, refusal.message)

        return grpc.unary_unary_rpc_method_handler(respond)


def start(
    handler: ScriptedServer, credentials: grpc.ServerCredentials | None = None, address: str = "localhost:0"
) -> grpc.Server:
    """Starts to serve at the address, a free port unless it names one, and writes it into `handler.address`."""
    server = grpc.server(ThreadPoolExecutor(4), handlers=[handler], options=[("grpc.so_reuseport", 0)])
    port = server.add_secure_port(address, credentials) if credentials else server.add_insecure_port(address)
    handler.address = f"localhost:{port}"
    server.start()
    return server
