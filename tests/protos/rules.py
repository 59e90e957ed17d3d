"""Rules every proto file follows, after those of the `buf` linter: each yields one sentence per violation."""

import re
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet, MethodDescriptorProto

from tests.protos.contract import commentable, comments, enumerations, messages

Rule = Callable[[FileDescriptorSet], Iterator[str]]

PASCAL = re.compile(r"[A-Z][A-Za-z0-9]*")
SNAKE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
UPPER_SNAKE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")
LANGUAGE_OPTIONS = (
    "csharp_namespace",
    "go_package",
    "java_package",
    "objc_class_prefix",
    "php_namespace",
    "ruby_package",
)


def packages_match_folders(files: FileDescriptorSet) -> Iterator[str]:
    """Package `a.v1` is in folder `a/v1`, ends with a version, and file names are snake case."""
    for file in files.file:
        path = PurePosixPath(file.name)
        if str(path.parent) != file.package.replace(".", "/"):
            yield f"{file.name} declares package {file.package}"
        if not re.search(r"\.v[1-9][0-9]*$", file.package):
            yield f"the package of {file.name} has no version"
        if not SNAKE.fullmatch(path.stem):
            yield f"{file.name} is not snake case"


def options_agree(files: FileDescriptorSet) -> Iterator[str]:
    """All files put their classes into the same namespace of each language, and every file says which."""
    for option in LANGUAGE_OPTIONS:
        values = {getattr(file.options, option) for file in files.file}
        if len(values) != 1 or "" in values:
            yield f"{option} is {sorted(values)}"


def imports_are_plain(files: FileDescriptorSet) -> Iterator[str]:
    """No file passes on what it imports: each names what it uses."""
    for file in files.file:
        if file.public_dependency or file.weak_dependency:
            yield f"{file.name} has a public or weak import"


def messages_are_named(files: FileDescriptorSet) -> Iterator[str]:
    """Messages are PascalCase; fields and oneofs are snake_case."""
    for file in files.file:
        for message in messages(file):
            if not PASCAL.fullmatch(message.descriptor.name):
                yield f"{message.name} is not PascalCase"
            fields = [field.name for field in message.descriptor.field]
            oneofs = [oneof.name.removeprefix("_") for oneof in message.descriptor.oneof_decl]
            for name in [*fields, *oneofs]:
                if not SNAKE.fullmatch(name):
                    yield f"{message.name}.{name} is not snake_case"


def enums_are_named(files: FileDescriptorSet) -> Iterator[str]:
    """Enums are PascalCase; values are UPPER_CASE and start with the enum's name: they share a scope with others."""
    for file in files.file:
        for enum in enumerations(file):
            if not PASCAL.fullmatch(enum.descriptor.name):
                yield f"{enum.name} is not PascalCase"
            for value in enum.descriptor.value:
                if not UPPER_SNAKE.fullmatch(value.name) or not value.name.startswith(prefix(enum.descriptor.name)):
                    yield f"{enum.name}.{value.name} does not start with {prefix(enum.descriptor.name)}"


def enums_start_unspecified(files: FileDescriptorSet) -> Iterator[str]:
    """The first value of an enum is 0 and ends in UNSPECIFIED: what an old writer did not set is never a choice."""
    for file in files.file:
        for enum in enumerations(file):
            first = enum.descriptor.value[0]
            if first.number != 0 or not first.name.endswith("_UNSPECIFIED"):
                yield f"{enum.name} starts with {first.name} = {first.number}"
            if enum.descriptor.options.allow_alias:
                yield f"{enum.name} allows aliases"


def methods_have_their_own_messages(files: FileDescriptorSet) -> Iterator[str]:
    """Method M of service S takes SMRequest and gives SMResponse, used by no other method: each can grow alone."""
    for file, service, method in methods(files):
        if not PASCAL.fullmatch(service) or not PASCAL.fullmatch(method.name):
            yield f"{service}.{method.name} is not PascalCase"
        expected = f".{file.package}.{service}{method.name}"
        if (method.input_type, method.output_type) != (f"{expected}Request", f"{expected}Response"):
            yield f"{service}.{method.name} takes {method.input_type} and gives {method.output_type}"


def everything_is_explained(files: FileDescriptorSet) -> Iterator[str]:
    """Every message, field, oneof, enum, value, service and method has a comment, a sentence that ends."""
    for file in files.file:
        known = comments(file)
        for name, path in commentable(file):
            comment = known.get(path, "")
            if not comment:
                yield f"{name} has no comment"
            elif comment[-1] not in ".:?!":
                yield f"the comment of {name} does not end: {comment!r}"


RULES: tuple[Rule, ...] = (
    packages_match_folders,
    options_agree,
    imports_are_plain,
    messages_are_named,
    enums_are_named,
    enums_start_unspecified,
    methods_have_their_own_messages,
    everything_is_explained,
)


def methods(files: FileDescriptorSet) -> Iterator[tuple[FileDescriptorProto, str, MethodDescriptorProto]]:
    """File, service name and method of each RPC."""
    for file in files.file:
        for service in file.service:
            for method in service.method:
                yield file, service.name, method


def prefix(enum: str) -> str:
    """What the values of an enum start with: `ScoreMode` gives `SCORE_MODE_`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", enum).upper() + "_"
