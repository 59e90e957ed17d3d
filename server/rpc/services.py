"""gRPC services made from their descriptors. The server does not start if an RPC has no function."""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import grpc
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from server.lanes import Admission
from server.rpc.interceptors import Interceptor
from server.rpc.rpcs import AnyHandler, DownloadRpc, UnaryRpc, UploadRpc

AnyRpc = UnaryRpc | DownloadRpc | UploadRpc
Readers = Mapping[type[Message], Callable[[bytes], Any]]
"""What reads requests of a type from their bytes, and raises DecodeError."""


def rpcs_of(
    service: ServiceDescriptor,
    interceptor: Interceptor,
    admission: Admission,
    *implementations: object,
    readers: Readers = MappingProxyType({}),
) -> dict[str, AnyRpc]:
    """The RPCs of `service`, by names such as `headwater.v1.Points/Query`. Its RPC `GetState`, for example, is the
    method `get_state` of one of `implementations`.

    Requests and replies pass a door as bytes, since RPCs parse them: by `readers`, or as server.wire does. Raises
    TypeError if an RPC has no function, or if an implementation has a public function that is no RPC.
    """
    functions = handlers_of(service, *implementations)
    rpcs: dict[str, AnyRpc] = {}
    for method in service.methods:
        name, request_type = f"{service.full_name}/{method.name}", GetMessageClass(method.input_type)
        about = (interceptor, name, request_type, functions[method.name], admission, readers.get(request_type))
        rpcs[name] = _kind(method)(*about)
    return rpcs


def generic_handler(service: ServiceDescriptor, rpcs: Mapping[str, Any]) -> "grpc.GenericRpcHandler[bytes, bytes]":
    """How gRPC calls the RPCs of `service`."""
    handlers = {
        UnaryRpc: grpc.unary_unary_rpc_method_handler,
        DownloadRpc: grpc.unary_stream_rpc_method_handler,
        UploadRpc: grpc.stream_unary_rpc_method_handler,
    }
    return grpc.method_handlers_generic_handler(
        service.full_name,
        {
            method.name: handlers[_kind(method)](rpcs[f"{service.full_name}/{method.name}"])
            for method in service.methods
        },
    )


def _kind(method: MethodDescriptor) -> type[AnyRpc]:
    """The kind of an RPC. Its descriptor says whether each side sends one message or many."""
    match method.client_streaming, method.server_streaming:
        case False, False:
            return UnaryRpc
        case False, True:
            return DownloadRpc
        case True, False:
            return UploadRpc
        case _:
            raise TypeError(f"{method.full_name} streams both ways")


def handlers_of(service: ServiceDescriptor, *implementations: object) -> dict[str, AnyHandler]:
    """The function of each RPC by its name. Raises TypeError unless RPCs and public functions match one to one."""
    found: dict[str, AnyHandler] = {}
    for implementation in implementations:
        for name in (name for name in dir(implementation) if not name.startswith("_")):
            if name in found:
                raise TypeError(f"{service.full_name}: {name} is defined twice")
            found[name] = getattr(implementation, name)
    expected = {snake_case(method.name): method.name for method in service.methods}
    if found.keys() != expected.keys():
        missing, extra = sorted(expected.keys() - found.keys()), sorted(found.keys() - expected.keys())
        raise TypeError(f"{service.full_name}: RPCs without function {missing}, functions without RPC {extra}")
    return {expected[name]: function for name, function in found.items()}


def snake_case(name: str) -> str:
    """`GetVectorCount` as `get_vector_count`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
