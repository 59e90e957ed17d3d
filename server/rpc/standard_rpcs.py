"""Health and reflection: standard RPCs in lanes of their own, so that other requests never delay them.

Both need no api-key: a health checker has none, and reflection tells only public facts.
"""

from collections.abc import Callable, Iterator
from typing import Any

import grpc
from google.protobuf.message import DecodeError, Message
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthListRequest
from grpc_reflection.v1alpha.reflection import SERVICE_NAME as REFLECTION_SERVICE
from grpc_reflection.v1alpha.reflection import ReflectionServicer
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest

from server.lanes import Admission, Lane, Turn
from server.rpc.health import Health

HEALTH_SERVICE = "grpc.health.v1.Health"
SEND_SECONDS = 5.0
"""How long a client of Watch may take to read a message."""


def health_handler(health: Health, admission: Admission) -> "grpc.GenericRpcHandler[bytes, bytes]":
    """The service grpc.health.v1.Health."""

    check = _HealthRpc(admission.health, health.Check, HealthCheckRequest)
    list_all = _HealthRpc(admission.health, health.List, HealthListRequest)
    # It has a lane of its own, since the thread that serves it sends its first message, which some clients do not read.
    watch = _WatchRpc(admission.watches, _bounded(health.Watch, admission), HealthCheckRequest)
    return grpc.method_handlers_generic_handler(
        HEALTH_SERVICE,
        {
            "Check": grpc.unary_unary_rpc_method_handler(check, None, _bytes),
            "List": grpc.unary_unary_rpc_method_handler(list_all, None, _bytes),
            "Watch": grpc.unary_stream_rpc_method_handler(watch, None, _bytes),
        },
    )


def reflection_handler(services: tuple[str, ...], admission: Admission) -> "grpc.GenericRpcHandler[bytes, bytes]":
    """The service grpc.reflection.v1alpha.ServerReflection, which describes `services`, itself and health."""
    servicer = ReflectionServicer((*services, HEALTH_SERVICE, REFLECTION_SERVICE))
    rpc = _ReflectionRpc(admission, servicer.ServerReflectionInfo)
    return grpc.method_handlers_generic_handler(
        REFLECTION_SERVICE, {"ServerReflectionInfo": grpc.stream_stream_rpc_method_handler(rpc, None, _bytes)}
    )


class _OpenRpc:
    """See server.lanes.receiving.Rpc. It needs no key."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane

    def authenticate(self, metadata: Any) -> None:
        """Allows everybody."""

    def entrance(self, size: int) -> Lane:
        """See Rpc."""
        return self._lane

    def lane_of(self, request: object, size: int) -> Lane:
        """See Rpc."""
        return self._lane


class _HealthRpc(_OpenRpc):
    """An RPC of health."""

    receives = True

    def __init__(self, lane: Lane, function: Callable[..., Any], request_type: type[Message]) -> None:
        super().__init__(lane)
        self._function = function
        self._request_type = request_type

    def read(self, message: bytes, access: object) -> object:
        """See Rpc."""
        try:
            return self._request_type.FromString(message)
        except DecodeError as error:
            return error

    def __call__(self, turn: Turn, context: grpc.ServicerContext, *send: Any) -> Any:
        if isinstance(turn.request, DecodeError):
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the request cannot be read")
        return self._function(turn.request, context, *send)


class _WatchRpc(_HealthRpc):
    """Answers with a stream of messages, and keeps no thread between them."""

    experimental_non_blocking = True


class _ReflectionRpc(_OpenRpc):
    """The RPC of reflection: both sides send a stream, which may not stand still for long."""

    receives = False

    def __init__(self, admission: Admission, function: Callable[..., Any]) -> None:
        super().__init__(admission.reflection)
        self._admission = admission
        self._function = function

    def read(self, message: object, access: object) -> object:
        """See Rpc."""
        return message

    def __call__(self, turn: Turn, context: grpc.ServicerContext) -> Iterator[Message]:
        for reply in self._function(self._requests(turn, context), context):
            with self._admission.standing(turn), turn.idle():
                yield reply

    def _requests(self, turn: Turn, context: grpc.ServicerContext) -> Iterator[Message]:
        messages: Any = turn.request
        while True:
            with self._admission.standing(turn), turn.idle():
                message = next(messages, None)
            if message is None:
                return
            try:
                request = ServerReflectionRequest.FromString(message)
            except DecodeError:
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the request cannot be read")
            yield request


def _bounded(watch: Callable[..., Any], admission: Admission) -> Callable[..., Any]:
    """A Watch. If its client does not read a message in time, the call ends."""

    def bounded(request: Message, context: grpc.ServicerContext, send: Callable[[Message | None], Any]) -> Any:
        def send_within(message: Message | None) -> None:
            with admission.watchdog.within(SEND_SECONDS, context.cancel):
                send(message)

        return watch(request, context, send_within)

    return bounded


def _bytes(reply: Message) -> bytes:
    return reply.SerializeToString()
