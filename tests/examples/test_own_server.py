"""The server that an example starts is there while it is needed and gone afterwards, also after an error."""

import contextlib
import socket

import pytest

from examples.own_server import own_server


def accepts_connections(address: str) -> bool:
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.connect(address.removeprefix("unix:"))
        return True
    return False


def use_and_fail() -> None:
    """Raises the address as the message of an error, from inside the block that has the server."""
    with own_server() as address:
        assert accepts_connections(address)
        raise ZeroDivisionError(address)


def test_a_server_of_its_own_ends_with_the_block_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWATER_WORKERS", "not a number")  # meant for another server
    with pytest.raises(ZeroDivisionError) as failure:
        use_and_fail()
    assert not accepts_connections(str(failure.value))
