"""Who asks: the connection that a request came over."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc

from server.rpc.interceptors import budget_of


def test_a_caller_is_a_connection() -> None:
    """Requests of one connection have one caller, and those of another one another."""
    with _echo() as address:
        apart = [("grpc.use_local_subchannel_pool", 1)]
        with grpc.insecure_channel(address, apart) as one, grpc.insecure_channel(address, apart) as other:
            callers = [channel.unary_unary("/test/caller", None, None)(b"") for channel in (one, one, other)]
    assert callers[0] == callers[1] != callers[2]
    assert all(caller.startswith(b"ipv4:127.0.0.1:") for caller in callers)


@contextmanager
def _echo() -> Iterator[str]:
    handler = grpc.unary_unary_rpc_method_handler(lambda raw, context: budget_of(context).caller.encode())
    with ThreadPoolExecutor(1) as pool:
        server = grpc.server(pool)
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test", {"caller": handler}),))
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield f"127.0.0.1:{port}"
        finally:
            server.stop(None).wait()
