"""Runs a case with Python's plain stubs: what protoc makes for Python, over a gRPC channel, without our client."""

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import grpc
from google.protobuf import json_format
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from grpc_status import rpc_status

from tests.clients.cases import Case, Json, Step, filled_step, found, tree_of

DEADLINE_SECONDS = 30.0
METHODS: dict[str, MethodDescriptor] = {}
for _name in ("collections", "indexes", "keys", "points", "vde"):
    for _service in import_module(f"headwater.v1.{_name}_pb2").DESCRIPTOR.services_by_name.values():
        METHODS |= {f"{_service.name}/{method.name}": method for method in _service.methods}


@dataclass(frozen=True)
class Outcome:
    """What one step gave: answers, or an error as a case tells it."""

    answers: Sequence[Message] = ()
    error: Mapping[str, Json] | None = None


def new_names(api_key: str) -> dict[str, str]:
    """The names that a case may use from its start, with a collection of its own."""
    return {"collection": f"conformance-{uuid.uuid4().hex}", "api_key": api_key}


def outcomes(case: Case, channel: grpc.Channel, names: dict[str, str]) -> Iterator[tuple[Step, Outcome]]:
    """Each step, with `names` filled in, and what it gave. What a step keeps is added to `names`."""
    for raw in case.steps:
        step = filled_step(raw, names)
        outcome = ask(step, channel)
        for name, path in (step.keep or {}).items():
            names[name] = found(tree_of(outcome.answers[0]), path)
        yield step, outcome


def ask(step: Step, channel: grpc.Channel) -> Outcome:
    """What one call gives."""
    method = METHODS[step.call]
    requests = [_message(method.input_type, one) for one in step.requests or [step.request]]
    call: Callable[..., Any] = getattr(_stub(method, channel), method.name)
    argument = iter(requests) if method.client_streaming else requests[0]
    try:
        answer = call(argument, timeout=DEADLINE_SECONDS, metadata=tuple((step.metadata or {}).items()))
        return Outcome(list(answer) if method.server_streaming else [answer])
    except grpc.RpcError as error:
        return Outcome(error=_told(error))


def check(step: Step, outcome: Outcome) -> None:
    """Raises AssertionError unless the outcome is the one of the case."""
    if step.error is not None:
        assert outcome.error is not None, f"{step.call}: it was to fail with {step.error}"
        assert {key: _some(outcome.error.get(key), value) for key, value in step.error.items()} == step.error
        return
    assert outcome.error is None, f"{step.call}: {outcome.error}"
    expected = [_message(METHODS[step.call].output_type, one) for one in step.answers or [step.answer]]
    assert [tree_of(one, step.without) for one in outcome.answers] == [tree_of(one, step.without) for one in expected]


def _some(told: Json, expected: Json) -> Json:
    """Of an object only the keys that are expected."""
    return {key: told.get(key) for key in expected} if isinstance(expected, dict) else told


def _stub(method: MethodDescriptor, channel: grpc.Channel) -> Any:
    module = import_module(method.containing_service.file.name.replace("/", ".").replace(".proto", "_pb2_grpc"))
    return getattr(module, f"{method.containing_service.name}Stub")(channel)


def _message(kind: Any, tree: Json) -> Message:
    return json_format.ParseDict(tree, GetMessageClass(kind)())


def _told(error: Any) -> dict[str, Json]:
    info, bad = ErrorInfo(), BadRequest()
    status = rpc_status.from_call(error)
    for detail in status.details if status is not None else ():
        detail.Unpack(info) or detail.Unpack(bad)
    fields = [violation.field for violation in bad.field_violations]
    return {"code": error.code().name, "reason": info.reason, "metadata": dict(info.metadata), "fields": fields}
