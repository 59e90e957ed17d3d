"""Servers of one's own: `Client.local` and `AsyncClient.local`, with real processes that end in every way.

Says nothing of what the server answers.
"""

import asyncio
import multiprocessing
import os
import pickle
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from headwater import AsyncClient, Client, LocalServerError, PointStruct, VectorParams
from headwater.errors import UnavailableError
from tests.support.root import ROOT
from tests.support.server_process import hear_interrupts

WAIT_SECONDS = 60.0
POINT = PointStruct(id=1, vector=[1.0, 0.0])


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with Client.local(tmp_path / "data") as own:
        own.collections.create("notes", VectorParams(size=2))
        yield own


def folder_of(client: Client | AsyncClient) -> Path:
    """The temporary folder of the client's server."""
    return Path(client.target.removeprefix("unix:")).parent


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT_SECONDS
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_what_was_written_is_there_when_the_folder_is_opened_again(tmp_path: Path) -> None:
    with Client.local(tmp_path / "data") as client:
        client.collections.create("notes", VectorParams(size=2))
        client.points.upsert("notes", [POINT])
    with Client.local(str(tmp_path / "data")) as client:
        assert client.points.count("notes") == 1


def test_a_relative_path_is_meant_from_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with Client.local("data") as client:
        assert client.collections.list() == []
    assert (tmp_path / "data").is_dir()


def test_memory_is_gone_at_the_end() -> None:
    with Client.local(":memory:") as client:
        client.collections.create("notes", VectorParams(size=2))
        folder = folder_of(client)
        assert (folder / "data").is_dir()
    assert not folder.exists()


def test_two_temporary_stores_are_two() -> None:
    with Client.local(":memory:") as one, Client.local(":memory:") as other:
        one.collections.create("notes", VectorParams(size=2))
        assert other.collections.list() == []


def test_only_this_user_reaches_it(client: Client) -> None:
    folder = folder_of(client)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "server.sock").stat().st_mode) == 0o600


def test_a_second_owner_is_refused_by_name(client: Client, tmp_path: Path) -> None:
    with pytest.raises(LocalServerError, match=r"data is open in another process \(pid \d+\)"):
        Client.local(tmp_path / "data")
    assert client.points.count("notes") == 0


def test_a_folder_that_cannot_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    with pytest.raises(LocalServerError, match="file"):
        Client.local(tmp_path / "file")


def test_a_wrong_path_is_no_call() -> None:
    with pytest.raises(TypeError):
        Client.local(7)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="empty"):
        Client.local("")


def test_other_clients_may_use_it_while_it_runs(client: Client) -> None:
    with Client(client.target) as other:
        other.points.upsert("notes", [POINT])
    assert client.points.count("notes") == 1


def test_a_closed_client_has_stopped_its_server(tmp_path: Path) -> None:
    client = Client.local(tmp_path / "data")
    client.close()
    client.close()
    with Client(client.target, timeout=5, retries=0) as other, pytest.raises(UnavailableError):
        other.collections.list()


def test_namespaces_keep_the_server(tmp_path: Path) -> None:
    collections = Client.local(tmp_path / "data").collections
    assert collections.list() == []


def test_a_client_that_nobody_has_stops_its_server(tmp_path: Path) -> None:
    client = Client.local(tmp_path / "data")
    folder = folder_of(client)
    del client
    until(lambda: not folder.exists())


def test_pickled_copies_use_the_same_server_and_do_not_stop_it(client: Client) -> None:
    with pickle.loads(pickle.dumps(client)) as copy:
        copy.points.upsert("notes", [POINT])
    assert client.points.count("notes") == 1


def count_in_fork(client: Client, answers: "multiprocessing.SimpleQueue[int]") -> None:
    answers.put(client.points.count("notes"))
    client.close()


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_forks_share_it_and_do_not_stop_it(client: Client) -> None:
    client.points.upsert("notes", [POINT])
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()
    for _ in range(2):
        process = context.Process(target=count_in_fork, args=(client, answers))
        process.start()
        process.join(WAIT_SECONDS)
        assert process.exitcode == 0
    assert [answers.get(), answers.get()] == [1, 1]
    assert client.points.count("notes") == 1


OWNER = dedent("""
    import sys
    from headwater import Client, VectorParams
    client = Client.local(sys.argv[1])
    print(client.target.removeprefix("unix:"), flush=True)
    client.collections.create("notes", VectorParams(size=2))
    print("made", flush=True)
    exec(sys.argv[2])
""")


def owner(path: Path | str, then: str) -> "subprocess.Popen[str]":
    """A process that starts a server of its own, makes a collection, and runs `then`."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "client")}
    command = [sys.executable, "-c", OWNER, str(path), then]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        preexec_fn=hear_interrupts,
    )


@pytest.mark.parametrize("path", ["data", ":memory:"])
@pytest.mark.parametrize(
    "then", ["pass", "sys.exit(3)", "raise ValueError", "import os; os._exit(0)", "import os; os.kill(os.getpid(), 9)"]
)
def test_the_server_ends_with_its_owner_however_that_ends(tmp_path: Path, path: str, then: str) -> None:
    process = owner(path if path == ":memory:" else tmp_path / path, then)
    assert process.stdout is not None
    folder = Path(process.stdout.readline().strip()).parent
    process.communicate(timeout=WAIT_SECONDS)
    until(lambda: not folder.exists())
    if path != ":memory:":  # and what was acknowledged is there
        with Client.local(tmp_path / path) as client:
            assert client.collections.list() == ["notes"]


def test_the_server_says_nothing_when_all_is_well(tmp_path: Path) -> None:
    process = owner(tmp_path / "data", "pass")
    assert process.communicate(timeout=WAIT_SECONDS)[1] == ""


def test_ctrl_c_stops_the_owner_and_not_the_server_before_it(tmp_path: Path) -> None:
    then = dedent("""
        import time
        try:
            print("waiting", flush=True)
            while True:
                time.sleep(0.05)  # a signal just before a sleep does not interrupt it
        except KeyboardInterrupt:
            print(len(client.collections.list()), flush=True)
    """)
    process = owner(tmp_path / "data", then)
    assert process.stdout is not None
    assert [process.stdout.readline() for _ in range(3)][1:] == ["made\n", "waiting\n"]
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=WAIT_SECONDS)[0] == "1\n"


def test_the_async_client_has_one_too(tmp_path: Path) -> None:
    async def use() -> Path:
        async with AsyncClient.local(tmp_path / "data") as client:
            await client.collections.create("notes", VectorParams(size=2))
            await client.points.upsert("notes", [POINT])
            assert await client.points.count("notes") == 1
            return folder_of(client)

    assert not asyncio.run(use()).exists()


def test_without_the_server_it_says_what_to_install(tmp_path: Path) -> None:
    program = dedent("""
        import importlib.util, headwater
        find = importlib.util.find_spec
        importlib.util.find_spec = lambda name: None if name == "headwater_server" else find(name)
        try:
            headwater.Client.local(":memory:")
        except headwater.ServerNotInstalledError as error:
            print(error)
    """)
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "client")}
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True)
    assert "pip install" in said.stdout
