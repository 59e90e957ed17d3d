"""A server with an owner, on a socket, over a temporary folder: its settings, and what it refuses."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from headwater import Client
from server.config import Config, InvalidConfig, socket_path
from tests.support.root import ROOT
from tests.support.server_process import doomed_server, environment, running_server

WAIT_SECONDS = 60.0


@pytest.mark.parametrize(
    ("address", "path"), [("unix:/a/b", "/a/b"), ("unix:///a/b", "/a/b"), ("unix:a/b", "a/b"), ("localhost:1", None)]
)
def test_sockets_of_addresses(address: str, path: str | None) -> None:
    assert socket_path(address) == (None if path is None else Path(path))


@pytest.mark.parametrize("address", ["unix:", "unix:/", "unix://", "unix://host/a", "unix:/" + 107 * "a", "unix:/a\0b"])
def test_what_is_no_socket_is_refused(address: str) -> None:
    with pytest.raises(InvalidConfig, match="listen"):
        Config(data=Path("data"), listen=address)


def test_a_socket_serves_and_is_gone_after_a_stop(tmp_path: Path) -> None:
    address = f"unix:{tmp_path / 'socket'}"
    with running_server(tmp_path / "data", listen=address) as said:
        assert said == address
        with Client(address) as client:
            assert client.collections.list() == []
    assert not (tmp_path / "socket").exists()


def test_a_socket_that_a_killed_server_left_is_replaced(tmp_path: Path) -> None:
    address = f"unix:{tmp_path / 'socket'}"
    left = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    left.bind(str(tmp_path / "socket"))
    left.close()
    with running_server(tmp_path / "data", listen=address), Client(address) as client:
        assert client.collections.list() == []


def refusal(*settings: str) -> str:
    """What a server says that does not start."""
    command = [sys.executable, "-m", "server", *settings]
    done = subprocess.run(
        command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=WAIT_SECONDS, check=False
    )
    assert done.returncode == 1
    return done.stderr


def test_a_socket_on_which_somebody_listens_is_refused(tmp_path: Path) -> None:
    address = f"unix:{tmp_path / 'socket'}"
    with running_server(tmp_path / "data", listen=address):
        assert "another process listens there" in refusal("--data", str(tmp_path / "other"), "--listen", address)
        with Client(address) as client:
            assert client.collections.list() == []


def test_a_file_is_not_replaced_by_a_socket(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    said = refusal("--data", str(tmp_path / "data"), "--listen", f"unix:{tmp_path / 'file'}")
    assert "no socket" in said
    assert (tmp_path / "file").read_text() == "text"


def test_a_temporary_folder_with_something_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("text")
    said = refusal("--data", str(tmp_path / "data"), "--temporary-folder", str(tmp_path))
    assert "is not empty" in said
    assert (tmp_path / "mine").read_text() == "text"


def test_a_server_ends_when_a_process_that_is_not_its_parent_has_ended(tmp_path: Path) -> None:
    owner = subprocess.Popen(["sleep", "600"])
    temporary = tmp_path / "temporary"
    options = ["--owner", str(owner.pid), "--temporary-folder", str(temporary)]
    with doomed_server(tmp_path / "data", options=options) as (server, _):
        assert temporary.is_dir()
        owner.kill()
        owner.wait()
        assert server.wait(WAIT_SECONDS) == 0
    assert not temporary.exists()


def test_a_server_whose_owner_is_gone_already_ends(tmp_path: Path) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    command = [sys.executable, "-m", "server", "--data", str(tmp_path / "data"), "--listen", "localhost:0"]
    done = subprocess.run(
        [*command, "--owner", str(gone.pid)], cwd=ROOT, env=environment(), timeout=WAIT_SECONDS, check=False
    )
    assert done.returncode == 0
    assert os.path.isdir(tmp_path / "data")
