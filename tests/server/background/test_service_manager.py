"""What systemd is told by a server, and by none of its children. A socket of the test's stands for systemd."""

import socket
from pathlib import Path

import pytest

from headwater import Client
from server.background import tell_service_manager
from tests.support.server_process import running_server

SECONDS = 60.0


def listener(address: str) -> socket.socket:
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.settimeout(SECONDS)
    manager.bind(address)
    return manager


def test_a_server_says_when_it_is_ready_and_when_it_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", f"{tmp_path}/s")
    with listener(f"{tmp_path}/s") as manager:
        with running_server(tmp_path / "data"):
            assert manager.recv(100) == b"READY=1"
        assert manager.recv(100) == b"STOPPING=1"


def test_a_server_of_a_programs_own_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program is what systemd started, and may not be ready."""
    monkeypatch.setenv("NOTIFY_SOCKET", f"{tmp_path}/s")
    with listener(f"{tmp_path}/s") as manager:
        with Client.local(tmp_path / "data") as client:
            client.collections.list()
        manager.setblocking(False)
        with pytest.raises(BlockingIOError):
            manager.recv(100)


def test_an_address_without_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    name = str(tmp_path)[-60:].replace("/", "-")
    monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
    with listener(f"\0{name}") as manager:
        tell_service_manager("READY=1")
        assert manager.recv(100) == b"READY=1"


@pytest.mark.parametrize("address", ["", "vsock:2:1", "/none/there", "/" + 200 * "a"])
def test_what_cannot_be_told_stops_no_server(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    tell_service_manager("READY=1")
