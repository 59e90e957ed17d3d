"""Whose work a request is: callers take turns, so all requests of one caller count together. Checks no key."""

import grpc


def caller_of(context: grpc.ServicerContext) -> str:
    """The connection that the request came over, as `ipv4:HOST:PORT`.

    There is one api-key for all who may use a server, so it tells nobody apart. A client of ours is one connection.
    """
    return context.peer()
