"""RPCs as bytes: what a client in another language could send and would get. Says nothing about what is sent."""

from types import TracebackType
from typing import Self

import grpc
from google.protobuf.message import Message

from headwater._wire.status import error_of

_UNLIMITED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


class Wire:
    """A connection that sends request messages, sound or not, and returns replies as they came."""

    def __init__(self, address: str) -> None:
        self._channel = grpc.insecure_channel(address, _UNLIMITED)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._channel.close()

    def send(self, request: Message, timeout: float = 60.0) -> bytes:
        """The reply to a request of the contract. Raises the client's typed errors."""
        return self.send_bytes(path_of(request), request.SerializeToString(), timeout)

    def send_bytes(self, path: str, request: bytes, timeout: float = 60.0) -> bytes:
        try:
            reply: bytes = self._channel.unary_unary(path, None, None)(request, timeout=timeout)
        except grpc.RpcError as failure:
            raise error_of(failure) from failure
        return reply


def path_of(request: Message) -> str:
    """The RPC that a request is for: messages are named <Service><Method>Request."""
    descriptor = request.DESCRIPTOR
    [service] = descriptor.file.services_by_name.values()
    return f"/{service.full_name}/{descriptor.name.removeprefix(service.name).removesuffix('Request')}"


def submessages(data: bytes, number: int) -> list[bytes]:
    """The bytes of the field `number`, a (repeated) message, exactly as they were sent."""
    found, position = [], 0
    while position < len(data):
        tag, position = _varint(data, position)
        if tag & 7 == 0:
            _, position = _varint(data, position)
            continue
        assert tag & 7 == 2, "replies have varints and messages at the top"
        length, position = _varint(data, position)
        if tag >> 3 == number:
            found.append(data[position : position + length])
        position += length
    return found


def _varint(data: bytes, position: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = data[position]
        position += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, position
        shift += 7
