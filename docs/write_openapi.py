"""`python -m docs.write_openapi` writes server/http/openapi.json from protos/: every RPC as OpenAPI 3.1 describes it.

Schemas are those of protobuf's JSON mapping. Texts are the comments of the protos.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
)

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "server" / "http" / "openapi.json"

_F = FieldDescriptorProto
_INT64: Mapping[str, Any] = {"type": ["string", "integer"], "format": "int64"}
_UINT64: Mapping[str, Any] = {"type": ["string", "integer"], "format": "uint64"}
_SCALARS: Mapping[int, Mapping[str, Any]] = {
    _F.TYPE_BOOL: {"type": "boolean"},
    _F.TYPE_STRING: {"type": "string"},
    _F.TYPE_BYTES: {"type": "string", "format": "byte"},
    _F.TYPE_FLOAT: {"type": ["number", "string"], "format": "float"},
    _F.TYPE_DOUBLE: {"type": ["number", "string"], "format": "double"},
    _F.TYPE_INT32: {"type": "integer", "format": "int32"},
    _F.TYPE_SINT32: {"type": "integer", "format": "int32"},
    _F.TYPE_UINT32: {"type": "integer", "minimum": 0, "maximum": 2**32 - 1},
    _F.TYPE_INT64: _INT64,
    _F.TYPE_SINT64: _INT64,
    _F.TYPE_UINT64: _UINT64,
    _F.TYPE_FIXED64: _UINT64,
}
_ERROR: Mapping[str, Any] = {
    "type": "object",
    "description": "An error in the form of Connect.",
    "required": ["code"],
    "properties": {
        "code": {"type": "string", "description": "Name of the status, such as invalid_argument."},
        "message": {"type": "string"},
        "details": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["type", "value"],
                "properties": {
                    "type": {"type": "string", "description": "Name of the message, such as google.rpc.ErrorInfo."},
                    "value": {"type": "string", "description": "The message in base64, without padding."},
                    "debug": {"type": "object", "description": "What the message says, for people."},
                },
            },
        },
    },
}


def main() -> None:
    TARGET.write_text(text(read_protos()))
    print(TARGET.relative_to(ROOT))


def read_protos() -> FileDescriptorSet:
    """The protos with their comments."""
    with tempfile.NamedTemporaryFile() as file:
        options = ["--include_source_info", "--include_imports", f"--descriptor_set_out={file.name}", "-Iprotos"]
        names = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "protos/headwater/v1").glob("*.proto"))
        subprocess.run([sys.executable, "-m", "grpc_tools.protoc", *options, *names], cwd=ROOT, check=True)
        return FileDescriptorSet.FromString(Path(file.name).read_bytes())


def text(protos: FileDescriptorSet) -> str:
    """The description, as the file has it."""
    return json.dumps(description(protos), indent=1, ensure_ascii=False) + "\n"


def description(protos: FileDescriptorSet) -> dict[str, Any]:
    """The OpenAPI description of all services."""
    files = [file for file in protos.file if file.package == "headwater.v1"]
    schemas: dict[str, Any] = {}
    paths: dict[str, Any] = {}
    for file in files:
        comments = _comments(file)
        for number, message in enumerate(file.message_type):
            schemas |= _schemas(message, "", (4, number), comments)
        for number, enum in enumerate(file.enum_type):
            schemas[enum.name] = _enum(enum, (5, number), comments)
        for number, service in enumerate(file.service):
            for place, method in enumerate(service.method):
                name = f"{file.package}.{service.name}/{method.name}"
                told = comments.get((6, number, 2, place), "")
                paths[f"/{name}"] = {"post": _operation(service.name, method, told)}
    schemas["Error"] = _ERROR
    return {
        "openapi": "3.1.0",
        "info": {"title": "Headwater", "version": "v1", "description": "RPCs over HTTP, in the protocol of Connect."},
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": {
                "apiKey": {"type": "apiKey", "in": "header", "name": "api-key"},
                "bearer": {"type": "http", "scheme": "bearer"},
            },
        },
        "security": [{}, {"apiKey": []}, {"bearer": []}],
    }


def _operation(service: str, method: MethodDescriptorProto, told: str) -> dict[str, Any]:
    streams = method.client_streaming or method.server_streaming
    kind = "application/connect+json" if streams else "application/json"
    deadline = {"name": "connect-timeout-ms", "in": "header", "schema": {"type": "integer", "minimum": 0}}
    operation = {
        "operationId": f"{service}_{method.name}",
        "tags": [service],
        "description": told + (" A stream: each message follows a byte of flags and its length." if streams else ""),
        "parameters": [deadline],
        "requestBody": {"required": True, "content": {kind: {"schema": _reference(method.input_type)}}},
        "responses": {"200": {"description": "Done.", "content": {kind: {"schema": _reference(method.output_type)}}}},
    }
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    operation["responses"]["default"] = {"description": "An error.", "content": error}  # type: ignore[index]
    return operation


def _schemas(
    message: DescriptorProto, within: str, place: tuple[int, ...], comments: Mapping[tuple[int, ...], str]
) -> dict[str, Any]:
    """The schema of a message and of those in it, by name."""
    name = f"{within}{message.name}"
    entries = {each.name: each for each in message.nested_type if each.options.map_entry}
    fields = {
        field.json_name: _field(field, entries, comments.get((*place, 2, number), ""))
        for number, field in enumerate(message.field)
    }
    schema: dict[str, Any] = {"type": "object", "properties": fields, "additionalProperties": False}
    if comments.get(place):
        schema["description"] = comments[place]
    found = {name: schema}
    for number, nested in enumerate(message.nested_type):
        if not nested.options.map_entry:
            found |= _schemas(nested, f"{name}.", (*place, 3, number), comments)
    for number, enum in enumerate(message.enum_type):
        found[f"{name}.{enum.name}"] = _enum(enum, (*place, 4, number), comments)
    return found


def _field(field: FieldDescriptorProto, entries: Mapping[str, DescriptorProto], told: str) -> dict[str, Any]:
    entry = entries.get(field.type_name.rpartition(".")[2]) if field.type == _F.TYPE_MESSAGE else None
    if entry is not None:
        value = next(each for each in entry.field if each.name == "value")
        schema: dict[str, Any] = {"type": "object", "additionalProperties": _kind(value)}
    elif field.label == _F.LABEL_REPEATED:
        schema = {"type": "array", "items": _kind(field)}
    else:
        schema = dict(_kind(field))
    return {**schema, "description": told} if told else schema


def _kind(field: FieldDescriptorProto) -> Mapping[str, Any]:
    if field.type in (_F.TYPE_MESSAGE, _F.TYPE_ENUM):
        return _reference(field.type_name)
    return _SCALARS[field.type]


def _enum(enum: EnumDescriptorProto, place: tuple[int, ...], comments: Mapping[tuple[int, ...], str]) -> dict[str, Any]:
    values = [value.name for value in enum.value]
    told = [comments.get((*place, 2, number), "") for number, _ in enumerate(enum.value)]
    lines = [f"{name}: {text}" for name, text in zip(values, told, strict=True) if text]
    return {"type": "string", "enum": values, "description": "\n".join([comments.get(place, ""), *lines]).strip()}


def _reference(type_name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{type_name.removeprefix('.headwater.v1.')}"}


def _comments(file: FileDescriptorProto) -> Mapping[tuple[int, ...], str]:
    """The comment above each part of a file, by its path in the descriptor."""
    return {
        tuple(each.path): " ".join(each.leading_comments.split())
        for each in file.source_code_info.location
        if each.leading_comments
    }


if __name__ == "__main__":
    main()
