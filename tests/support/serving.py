"""A real server in this process, raw stubs to ask it, and what a failed call tells."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from headwater.v1 import collections_pb2_grpc, points_pb2_grpc, vde_pb2_grpc
from server.app import serve
from server.config import Config


@dataclass(frozen=True)
class Service:
    """A server's channel and the stubs of its services."""

    address: str
    channel: grpc.Channel
    http: str | None = None

    @property
    def collections(self) -> Any:
        return collections_pb2_grpc.CollectionsStub(self.channel)

    @property
    def points(self) -> Any:
        return points_pb2_grpc.PointsStub(self.channel)

    @property
    def vde(self) -> Any:
        return vde_pb2_grpc.VDEStub(self.channel)


@dataclass(frozen=True)
class Failure:
    """What a failed call told: the status code, the reason, its facts, and the fields that are wrong."""

    code: grpc.StatusCode
    reason: str
    metadata: dict[str, str]
    fields: list[str]
    message: str


@contextmanager
def serving(data: Path, **settings: Any) -> Iterator[Service]:
    """A server over `data` while the context lasts."""
    config = Config(data=data, **{"listen": "127.0.0.1:0", "grace_seconds": 5.0, **settings})
    with serve(config) as addresses, grpc.insecure_channel(addresses.grpc) as channel:
        yield Service(addresses.grpc, channel, addresses.http)


def failure_of(call: Callable[[], object]) -> Failure:
    """How `call` fails. It must fail, and with details."""
    with pytest.raises(grpc.RpcError) as raised:
        call()
    error: Any = raised.value
    status = rpc_status.from_call(error)
    assert isinstance(status, Status), error
    info, bad = ErrorInfo(), BadRequest()
    for detail in status.details:
        detail.Unpack(info) or detail.Unpack(bad)
    fields = [violation.field for violation in bad.field_violations]
    return Failure(error.code(), info.reason, dict(info.metadata), fields, status.message)
