"""Whose work a request is: callers take turns, so all requests of one caller count together. Checks no key."""

from typing import Any

import grpc


def caller_of(context: grpc.ServicerContext) -> str:
    """The connection that the request came over, as `ipv4:HOST:PORT`.

    There is one api-key for all who may use a server, so it tells nobody apart. A client of ours is one connection.
    """
    return context.peer()


def caller_of_call(call: Any) -> str:
    """The same of a call of gRPC that has no context yet."""
    peer = call.peer()
    return peer.decode(errors="replace") if isinstance(peer, bytes) else str(peer)
