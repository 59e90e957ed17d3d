"""Watches of health whose clients take nothing any more keep neither a stop nor other watchers waiting."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.support.http2 import DATA, END_STREAM, INITIAL_WINDOW_SIZE, connected
from tests.support.server_process import server_process

WATCHERS = 20
_ONE_MESSAGE = 7  # bytes: what a status takes on the wire


@contextmanager
def dead_watchers(address: str) -> Iterator[None]:
    """Watches on one connection whose clients took the first status, and have no room for another."""
    with connected(address, {INITIAL_WINDOW_SIZE: _ONE_MESSAGE}) as connection:
        for stream in range(1, 2 * WATCHERS, 2):
            connection.begin(stream, "/grpc.health.v1.Health/Watch")
            connection.send(DATA, END_STREAM, stream, bytes(5))
        told: set[int] = set()
        for frame in connection.frames():
            if frame.kind == DATA and len(frame.body) == _ONE_MESSAGE:
                told.add(frame.stream)
            if len(told) == WATCHERS:
                break
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
