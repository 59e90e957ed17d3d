"""One call to a server: its address, the transport, retries, and methods that block or are awaited."""

from headwater._rpc.calls import Calls
from headwater._rpc.endpoint import ChannelOption, Endpoint, Tls
from headwater._rpc.retries import RetryPolicy
from headwater._rpc.surface import AsyncNamespace, BlockingNamespace, Namespace, remote, remote_items, run_blocking
from headwater._rpc.transport import AsyncioTransport, BlockingTransport

__all__ = [
    "AsyncNamespace",
    "AsyncioTransport",
    "BlockingNamespace",
    "BlockingTransport",
    "Calls",
    "ChannelOption",
    "Endpoint",
    "Namespace",
    "RetryPolicy",
    "Tls",
    "remote",
    "remote_items",
    "run_blocking",
]
