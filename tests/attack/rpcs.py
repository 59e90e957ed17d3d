"""Which RPCs a running server has, and their messages, as its reflection tells. Sends nothing to them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import grpc
from google.protobuf.descriptor import Descriptor, MethodDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest
from grpc_reflection.v1alpha.reflection_pb2_grpc import ServerReflectionStub

Metadata = Sequence[tuple[str, str | bytes]]
OURS = "headwater."
SECONDS = 60.0


@dataclass(frozen=True)
class Rpc:
    """One RPC: its path, the messages of both directions, and which of them are streams."""

    path: str
    request: Descriptor
    reply: Descriptor
    client_streaming: bool
    server_streaming: bool

    @property
    def name(self) -> str:
        return self.path.removeprefix("/")

    @property
    def is_ours(self) -> bool:
        """Whether its errors carry our details; those of health and reflection are the standard's."""
        return self.name.startswith(OURS)

    def new(self) -> Message:
        """An empty request."""
        return GetMessageClass(self.request)()

    def parses(self, raw: bytes) -> bool:
        """Whether these bytes are a request."""
        return _parses(self.request, raw)

    def is_reply(self, raw: bytes) -> bool:
        """Whether these bytes are a reply."""
        return _parses(self.reply, raw)


def find_rpcs(channel: grpc.Channel, metadata: Metadata = ()) -> list[Rpc]:
    """All RPCs of a server, by name."""
    stub = ServerReflectionStub(channel)

    def ask(request: ServerReflectionRequest) -> ServerReflectionRequest:
        return next(iter(stub.ServerReflectionInfo(iter([request]), timeout=SECONDS, metadata=metadata)))

    listed = ask(ServerReflectionRequest(list_services="")).list_services_response.service
    pool, names = DescriptorPool(), sorted(service.name for service in listed)
    known: set[str] = set()
    for name in names:
        reply = ask(ServerReflectionRequest(file_containing_symbol=name)).file_descriptor_response
        files = [FileDescriptorProto.FromString(raw) for raw in reply.file_descriptor_proto]
        for file in _dependencies_first(files, known):
            pool.Add(file)
    return [_rpc(method) for name in names for method in pool.FindServiceByName(name).methods]


def _dependencies_first(files: Sequence[FileDescriptorProto], known: set[str]) -> Iterator[FileDescriptorProto]:
    """Those of the files that are not `known` yet, each after what it imports."""
    by_name = {file.name: file for file in files}

    def visit(name: str) -> Iterator[FileDescriptorProto]:
        if name not in known:
            known.add(name)
            for imported in by_name[name].dependency:
                yield from visit(imported)
            yield by_name[name]

    for name in by_name:
        yield from visit(name)


def _rpc(method: MethodDescriptor) -> Rpc:
    return Rpc(
        path=f"/{method.containing_service.full_name}/{method.name}",
        request=method.input_type,
        reply=method.output_type,
        client_streaming=method.client_streaming,
        server_streaming=method.server_streaming,
    )


def _parses(descriptor: Descriptor, raw: bytes) -> bool:
    try:
        GetMessageClass(descriptor).FromString(raw)
    except Exception:  # upb raises DecodeError, and others on odd UTF-8
        return False
    return True
