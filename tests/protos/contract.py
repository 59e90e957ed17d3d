"""The wire contract as descriptors with their comments, and its elements by full name. Judges nothing."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)

from tests.support.root import ROOT

PROTOS = ROOT / "protos"

# Field numbers within descriptor.proto: what a comment's path is made of. Fixed for ever.
MESSAGE, ENUM, SERVICE = (
    FileDescriptorProto.MESSAGE_TYPE_FIELD_NUMBER,
    FileDescriptorProto.ENUM_TYPE_FIELD_NUMBER,
    FileDescriptorProto.SERVICE_FIELD_NUMBER,
)
FIELD, NESTED, NESTED_ENUM = (
    DescriptorProto.FIELD_FIELD_NUMBER,
    DescriptorProto.NESTED_TYPE_FIELD_NUMBER,
    DescriptorProto.ENUM_TYPE_FIELD_NUMBER,
)
ONEOF, METHOD, VALUE = DescriptorProto.ONEOF_DECL_FIELD_NUMBER, 2, 2

Labels = FieldDescriptorProto.Label
Types = FieldDescriptorProto.Type


@dataclass(frozen=True, slots=True)
class Message:
    """A message, nested ones included; the entries of maps are not messages of the contract."""

    name: str
    descriptor: DescriptorProto
    path: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Enumeration:
    """An enum, nested ones included."""

    name: str
    descriptor: EnumDescriptorProto
    path: tuple[int, ...]


def sources(root: Path = PROTOS) -> list[str]:
    """The proto files below `root`, relative to it, sorted."""
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*.proto"))


def protoc(arguments: Sequence[str], *, root: Path = PROTOS) -> subprocess.CompletedProcess[str]:
    """Runs the protoc of grpcio-tools over every proto file below `root`."""
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{root}", *arguments, *sources(root)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def load(folder: Path, *, root: Path = PROTOS) -> FileDescriptorSet:
    """The descriptors of all files below `root`, with comments. Writes one file into `folder`."""
    output = folder / "contract.bin"
    done = protoc(["--include_source_info", f"--descriptor_set_out={output}"], root=root)
    assert done.returncode == 0, done.stderr
    return FileDescriptorSet.FromString(output.read_bytes())


def messages(file: FileDescriptorProto) -> Iterator[Message]:
    """All messages of a file, outer before inner."""
    waiting = [
        Message(f"{file.package}.{message.name}", message, (MESSAGE, at))
        for at, message in enumerate(file.message_type)
    ]
    while waiting:
        outer = waiting.pop(0)
        yield outer
        waiting += [
            Message(f"{outer.name}.{inner.name}", inner, (*outer.path, NESTED, at))
            for at, inner in enumerate(outer.descriptor.nested_type)
            if not inner.options.map_entry
        ]


def enumerations(file: FileDescriptorProto) -> Iterator[Enumeration]:
    """All enums of a file."""
    for at, enum in enumerate(file.enum_type):
        yield Enumeration(f"{file.package}.{enum.name}", enum, (ENUM, at))
    for message in messages(file):
        for at, enum in enumerate(message.descriptor.enum_type):
            yield Enumeration(f"{message.name}.{enum.name}", enum, (*message.path, NESTED_ENUM, at))


def comments(file: FileDescriptorProto) -> dict[tuple[int, ...], str]:
    """The comment that stands before each element, by the element's path."""
    return {tuple(at.path): at.leading_comments.strip() for at in file.source_code_info.location}


def commentable(file: FileDescriptorProto) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Name and path of each element that a reader may ask about."""
    for message in messages(file):
        yield message.name, message.path
        for at, field in enumerate(message.descriptor.field):
            yield f"{message.name}.{field.name}", (*message.path, FIELD, at)
        for at, oneof in enumerate(message.descriptor.oneof_decl):
            # `optional` is a oneof of one in descriptors, named with an underscore; it has no comment of its own.
            if not oneof.name.startswith("_"):
                yield f"{message.name}.{oneof.name}", (*message.path, ONEOF, at)
    for enum in enumerations(file):
        yield enum.name, enum.path
        for at, value in enumerate(enum.descriptor.value):
            yield f"{enum.name}.{value.name}", (*enum.path, VALUE, at)
    for at, service in enumerate(file.service):
        yield f"{file.package}.{service.name}", (SERVICE, at)
        for number, method in enumerate(service.method):
            yield f"{file.package}.{service.name}.{method.name}", (SERVICE, at, METHOD, number)


def kind(field: FieldDescriptorProto, message: DescriptorProto) -> str:
    """The type of a field as far as the wire sees it: a changed one breaks readers as a changed number does."""
    for entry in message.nested_type:
        if entry.options.map_entry and field.type_name.endswith(f".{message.name}.{entry.name}"):
            return "map<{}, {}>".format(*(kind(part, entry) for part in entry.field))
    label = "repeated " if field.label == Labels.LABEL_REPEATED else "optional " if field.proto3_optional else ""
    return label + (field.type_name.lstrip(".") or Types.Name(field.type).removeprefix("TYPE_").lower())


def lines(files: FileDescriptorSet) -> list[str]:
    """Everything that must never change, one line each: `name = number` and what stands behind it. Sorted."""
    found: list[str] = []
    for file in files.file:
        for message in messages(file):
            name = message.name
            found += [
                f"{name}.{field.name} = {field.number} {kind(field, message.descriptor)}"
                for field in message.descriptor.field
            ]
            found += [f"{name} reserves {span.start}" for span in message.descriptor.reserved_range]
        for enum in enumerations(file):
            found += [f"{enum.name}.{value.name} = {value.number}" for value in enum.descriptor.value]
            found += [f"{enum.name} reserves {span.start}" for span in enum.descriptor.reserved_range]
        for service in file.service:
            found += [
                f"{file.package}.{service.name}/{method.name} {kinds(method.input_type, method.client_streaming)}"
                f" -> {kinds(method.output_type, method.server_streaming)}"
                for method in service.method
            ]
    return sorted(found)


def kinds(message: str, streaming: bool) -> str:
    return ("stream " if streaming else "") + message.lstrip(".")
