"""The port itself: how its connections are set up."""

import socket
from contextlib import closing

from starlette.applications import Starlette

from server.http import HttpPort


def test_answers_do_not_wait_for_the_confirmation_of_their_heads() -> None:
    """Each request would take 40 ms more. Connections inherit the option of the socket that listens."""
    with closing(HttpPort(Starlette(), "127.0.0.1:0")) as port:
        assert port._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
