"""Forms of messages: protobuf, which passes as it is, and the JSON of protobuf. JSON is bounded before it is parsed."""

import zlib
from dataclasses import dataclass
from typing import Any, Protocol

from google.protobuf import json_format
from google.protobuf.message import Message

from storage.errors import InvalidRequest, LimitExceeded, RequestTooLarge

MAX_JSON_BYTES = 16 * 2**20
"""Bytes of a message in JSON. Parsing JSON keeps the interpreter to itself; larger messages can be sent as protobuf."""

_BYTES_PER_NUMBER = 40  # of memory, for what a comma ends
_BYTES_PER_PART = 300  # for an object, a list or a key


class Codec(Protocol):
    """A form of the messages of one method."""

    @property
    def name(self) -> str:
        """As it stands in a content type."""

    def decode(self, raw: bytes) -> bytes:
        """A request in this form, as bytes of protobuf. Raises EngineError."""

    def encode(self, reply: bytes) -> bytes:
        """A reply in bytes of protobuf, in this form."""


@dataclass(frozen=True, slots=True)
class ProtobufCodec:
    """Messages as they are."""

    name: str = "proto"

    def decode(self, raw: bytes) -> bytes:
        """See Codec."""
        return raw

    def encode(self, reply: bytes) -> bytes:
        """See Codec."""
        return reply


@dataclass(frozen=True, slots=True)
class JsonCodec:
    """Messages in protobuf's JSON mapping, see https://protobuf.dev/programming-guides/json."""

    request_type: type[Message]
    reply_type: type[Message]
    max_memory: int | None = None
    """Bytes of memory that parsing may take. None: no bound."""
    name: str = "json"

    def decode(self, raw: bytes) -> bytes:
        """See Codec. Raises InvalidRequest, LimitExceeded, and RequestTooLarge if it would take too much memory."""
        if len(raw) > MAX_JSON_BYTES:
            raise LimitExceeded("", limit="MAX_JSON_BYTES", maximum=MAX_JSON_BYTES, actual=len(raw))
        size = _memory_of(raw)
        if self.max_memory is not None and size > self.max_memory:
            raise RequestTooLarge("the request in JSON", size=size, held=len(raw), maximum=self.max_memory)
        return _parsed(raw, self.request_type()).SerializeToString()

    def encode(self, reply: bytes) -> bytes:
        """See Codec."""
        message = self.reply_type.FromString(reply)
        return json_format.MessageToJson(message, indent=None, ensure_ascii=False).encode()


def inflated(raw: bytes, most: int) -> bytes:
    """What was compressed by gzip. Raises InvalidRequest, and LimitExceeded if it has more than `most` bytes."""
    stream = zlib.decompressobj(wbits=31)
    try:
        data = stream.decompress(raw, most + 1)
    except zlib.error as error:
        raise InvalidRequest("", f"the message is not compressed by gzip: {error}") from None
    if len(data) > most:
        raise LimitExceeded("", limit="max_message_bytes", maximum=most, actual=len(data))
    if not stream.eof:
        raise InvalidRequest("", "the message compressed by gzip is cut off")
    return data


def _parsed(raw: bytes, message: Message) -> Message:
    """The message in JSON. Raises InvalidRequest."""
    kind: Any = message.DESCRIPTOR
    try:
        if not raw.lstrip(b" \t\r\n").startswith(b"{"):  # an empty list would pass for an object without fields
            raise ValueError("it is no object")
        return json_format.Parse(raw, message)
    except RecursionError:
        reason = "it has too many parts within each other"
    except (json_format.ParseError, ValueError, TypeError) as error:
        reason = str(error)
    raise InvalidRequest("", f"the JSON is not a {kind.full_name}: {reason}") from None


def _memory_of(raw: bytes) -> int:
    """About how many bytes of memory the values of a text in JSON take at most, while it is parsed."""
    parts = sum(raw.count(sign) for sign in (b"{", b"[", b":"))
    return 4 * len(raw) + _BYTES_PER_NUMBER * raw.count(b",") + _BYTES_PER_PART * parts
