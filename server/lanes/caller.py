"""Who asks. Callers take turns, and all requests of one caller count together. It checks no key."""

from typing import Any

import grpc


def caller_of(context: grpc.ServicerContext) -> str:
    """The connection that the request came over, as `ipv4:HOST:PORT`.

    All users of a server share one api-key, so the key cannot tell them apart. A client of ours has one connection.
    """
    return context.peer()


def caller_of_call(call: Any) -> str:
    """As `caller_of`, for a call of gRPC that has no context yet."""
    peer = call.peer()
    return peer.decode(errors="replace") if isinstance(peer, bytes) else str(peer)
