"""A small client of Connect's protocol on http.client, to ask an HTTP port as curl does. Checks nothing."""

import json
import struct
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Message

SECONDS = 60.0
PREFIX = struct.Struct(">BI")


@dataclass(frozen=True)
class Answer:
    """Status, headers in lower case, and body of a response."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def messages(self) -> list[tuple[int, bytes]]:
        """Flags and bytes of the messages of a stream."""
        found, position = [], 0
        while position < len(self.body):
            flags, size = PREFIX.unpack_from(self.body, position)
            position += PREFIX.size
            found.append((flags, self.body[position : position + size]))
            position += size
        return found

    @property
    def end(self) -> Any:
        """What the last message of a stream says."""
        flags, last = self.messages[-1]
        assert flags == 2
        return json.loads(last)


def ask(
    address: str,
    path: str,
    body: bytes | Iterable[bytes] = b"{}",
    *,
    method: str = "POST",
    kind: str = "application/json",
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Sends one request over a connection of its own."""
    with closing(HTTPConnection(address, timeout=SECONDS)) as connection:
        connection.request(method, path, body, {"content-type": kind, **(headers or {})})
        response = connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, found, response.read())


def ask_json(address: str, rpc: str, request: Message, reply_type: type[Message]) -> Message:
    """Calls `rpc`, such as `Points/Query`, in JSON."""
    answer = ask(address, f"/headwater.v1.{rpc}", json_format.MessageToJson(request).encode())
    assert answer.status == 200, answer.body
    return json_format.Parse(answer.body, reply_type())


def framed(*messages: bytes, flags: int = 0) -> bytes:
    """Messages as a stream."""
    return b"".join(PREFIX.pack(flags, len(each)) + each for each in messages)
