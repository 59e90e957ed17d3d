"""Watches of health whose clients take nothing any more keep neither a stop nor other watchers waiting."""

import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.support.server_process import server_process

WATCHERS = 20
_HEADERS = {
    ":method": "POST",
    ":scheme": "http",
    ":path": "/grpc.health.v1.Health/Watch",
    ":authority": "localhost",
    "content-type": "application/grpc",
    "te": "trailers",
}
_DATA, _HEADERS_FRAME, _SETTINGS = 0, 1, 4
_END_STREAM, _ACK, _END_HEADERS = 1, 1, 4
_INITIAL_WINDOW_SIZE = 4
_ONE_MESSAGE = 7  # bytes: what a status takes on the wire


def frame(kind: int, flags: int, stream: int, body: bytes) -> bytes:
    """A frame of HTTP/2."""
    return struct.pack(">I", len(body))[1:] + struct.pack(">BBI", kind, flags, stream) + body


def read_exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        assert part, "the server closed the connection"
        data += part
    return data


@contextmanager
def dead_watchers(address: str) -> Iterator[None]:
    """Watches on one connection whose clients took the first status, and have no room for another."""
    host, port = address.rsplit(":", 1)
    fields = b"".join(
        b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()
        for name, value in _HEADERS.items()
    )
    settings = frame(_SETTINGS, 0, 0, struct.pack(">HI", _INITIAL_WINDOW_SIZE, _ONE_MESSAGE))
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + settings)
        for stream in range(1, 2 * WATCHERS, 2):
            headers = frame(_HEADERS_FRAME, _END_HEADERS, stream, fields)
            connection.sendall(headers + frame(_DATA, _END_STREAM, stream, bytes(5)))
        told: set[int] = set()
        while len(told) < WATCHERS:
            head = read_exactly(connection, 9)
            kind, flags, stream = struct.unpack(">BBI", head[3:])
            body = read_exactly(connection, int.from_bytes(head[:3], "big"))
            if kind == _SETTINGS and not flags & _ACK:
                connection.sendall(frame(_SETTINGS, _ACK, 0, b""))
            if kind == _DATA and len(body) == _ONE_MESSAGE:
                told.add(stream)
        yield


def test_a_stop_does_not_wait_for_watchers_who_take_nothing(tmp_path: Path) -> None:
    """A watcher that takes what it is sent is told, and its call ends."""
    with (
        server_process(tmp_path / "data", options=("--grace-seconds", "5")) as (process, address),
        dead_watchers(address),
        grpc.insecure_channel(address) as channel,
    ):
        responses = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        seen = [next(responses).status]
        started = time.monotonic()
        process.terminate()
        try:
            seen += [response.status for response in responses]
        except grpc.RpcError as error:
            pytest.fail(f"the watch of a client that reads ended as {error}")
        assert process.wait(60) == 0
        seconds = time.monotonic() - started
    assert seen == [health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING]
    assert seconds < 20, "a stop that waits for them, one after the other, takes 100 s"
