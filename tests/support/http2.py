"""HTTP/2 by hand, for clients that do what no client of gRPC does: take nothing, or send a part of a message."""

import socket
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

DATA, HEADERS, RESET, SETTINGS, PING, WINDOW_UPDATE = 0, 1, 3, 4, 6, 8
END_STREAM, ACK, END_HEADERS = 1, 1, 4
INITIAL_WINDOW_SIZE = 4
"""The setting that says how many bytes a peer may send of each stream."""


class Frame(NamedTuple):
    """A frame that came."""

    kind: int
    flags: int
    stream: int
    body: bytes


class Connection:
    """For one thread. Acknowledges settings and pings by itself."""

    def __init__(self, socket: socket.socket, settings: Mapping[int, int]) -> None:
        self._socket = socket
        self._socket.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        self.send(SETTINGS, 0, 0, b"".join(struct.pack(">HI", *setting) for setting in settings.items()))

    def send(self, kind: int, flags: int, stream: int, body: bytes) -> None:
        head = struct.pack(">I", len(body))[1:] + struct.pack(">BBI", kind, flags, stream)
        self._socket.sendall(head + body)

    def begin(self, stream: int, path: str) -> None:
        """Sends the headers of a call of gRPC."""
        fields = {
            ":method": "POST",
            ":scheme": "http",
            ":path": path,
            ":authority": "localhost",
            "content-type": "application/grpc",
            "te": "trailers",
        }
        pairs = (b"\0%c%b%c%b" % (len(n), n.encode(), len(v), v.encode()) for n, v in fields.items())
        self.send(HEADERS, END_HEADERS, stream, b"".join(pairs))

    def frames(self) -> Iterator[Frame]:
        """What comes, for ever."""
        while True:
            head = self._read(9)
            kind, flags, stream = struct.unpack(">BBI", head[3:])
            body = self._read(int.from_bytes(head[:3], "big"))
            if kind in (SETTINGS, PING) and not flags & ACK:
                self.send(kind, ACK, 0, body if kind == PING else b"")
            yield Frame(kind, flags, stream, body)

    def _read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            part = self._socket.recv(size - len(data))
            assert part, "the server closed the connection"
            data += part
        return data


@contextmanager
def connected(address: str, settings: Mapping[int, int]) -> Iterator[Connection]:
    """A connection to a server at `HOST:PORT`."""
    host, port = address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=60) as raw:
        yield Connection(raw, settings)
