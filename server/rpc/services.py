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

Readers = Mapping[type[Message], Callable[[bytes], Any]]
"""What reads requests of a type from their bytes, and raises DecodeError."""


def generic_handler(
    service: ServiceDescriptor,
    interceptor: Interceptor,
    admission: Admission,
    *implementations: object,
    readers: Readers = MappingProxyType({}),
) -> "grpc.GenericRpcHandler[bytes, bytes]":
    """The handler of `service`. Its RPC `GetState`, for example, is the method `get_state` of one of `implementations`.

    Requests and replies pass gRPC as bytes, since RPCs parse them: by `readers`, or as server.wire does. Raises
    TypeError if an RPC has no function, or if an implementation has a public function that is no RPC.
    """
    functions = handlers_of(service, *implementations)
    return grpc.method_handlers_generic_handler(
        service.full_name,
        {
            method.name: _rpc(method, interceptor, admission, functions[method.name], readers)
            for method in service.methods
        },
    )


def _rpc(
    method: MethodDescriptor, interceptor: Interceptor, admission: Admission, function: AnyHandler, readers: Readers
) -> "grpc.RpcMethodHandler[bytes, bytes]":
    """The handler of one RPC. Its descriptor says whether each side sends one message or many."""
    name, request_type = f"{method.containing_service.full_name}/{method.name}", GetMessageClass(method.input_type)
    about = (interceptor, name, request_type, function, admission, readers.get(request_type))
    match method.client_streaming, method.server_streaming:
        case False, False:
            return grpc.unary_unary_rpc_method_handler(UnaryRpc(*about))
        case False, True:
            return grpc.unary_stream_rpc_method_handler(DownloadRpc(*about))
        case True, False:
            return grpc.stream_unary_rpc_method_handler(UploadRpc(*about))
        case _:
            raise TypeError(f"{name} streams both ways")


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
