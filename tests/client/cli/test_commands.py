"""Each command does what its help says, in tables and in JSON, and its exit code tells how it ended."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import typer

from headwater._cli.failures import Exit
from headwater._cli.running import whole
from tests.client.cli.conftest import Headwater
from tests.support.root import ROOT
from tests.support.server_process import environment, hear_interrupts
from tests.support.serving import Service, serving

LARGE = 2**64 - 1


def lines(text: str) -> list[object]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_collection_is_created_listed_and_dropped(headwater: Headwater) -> None:
    name = "a b 'c' é"
    made = headwater("create", name, "-v", "3:dot:float32", "-v", "image=4", "--sparse", "words", "--field", "n=float")
    assert made.code == Exit.OK
    assert headwater("create", name, "-v", "3").code == Exit.ALREADY_EXISTS
    assert headwater("create", name, "-v", "3:dot", "--exists-ok").code == Exit.OK
    listed = headwater("collections", "--prefix", "a b")
    assert name in listed.out
    assert "image 4 cosine" in listed.out
    assert "words sparse" in listed.out
    [info] = lines(headwater("--json", "collections").out)
    assert info["name"] == name  # type: ignore[index]
    assert headwater("show", name).code == Exit.OK
    assert headwater("alias", "other", name).code == Exit.OK
    assert headwater("count", "other").out == "0\n"
    assert headwater("alias", "other").code == Exit.OK
    assert headwater("drop", name, "--yes").code == Exit.OK
    assert headwater("--json", "collections").out == ""


def test_points_are_found(headwater: Headwater, shop: str, tmp_path: Path) -> None:
    found = headwater("query", shop, "--vector", "1,0", "--filter", "price < 10")
    assert "red shoe" in found.out
    assert "blue" not in found.out
    ids = [hit["id"] for hit in lines(headwater("--json", "query", shop, "--vector", "[0, 1]").out)]  # type: ignore[index]
    assert ids == [LARGE, "schön ☃", 1]
    assert "search using=" in headwater("query", shop, "--vector", "1,0", "--explain").out
    assert "search using=" in headwater("explain", shop, "--id", "1", "--ef", "20").out
    [hit, _] = lines(headwater("--json", "query", shop, "--bm25", "shoe").out)
    assert hit["payload"]["title"] == "red shoe"  # type: ignore[index]
    np.save(tmp_path / "v.npy", np.array([[9, 9], [0, 1]], np.float32))
    at = ("--vector-file", tmp_path / "v.npy", "--row", "1", "-n", "1")
    assert [hit["id"] for hit in lines(headwater("--json", "query", shop, *at).out)] == [LARGE]  # type: ignore[index]
    assert headwater("query", shop, "--vector-file", tmp_path / "v.npy", "--row", "2").code == Exit.USAGE
    tree = {"query": {"fusion": "rrf"}, "prefetch": [{"query": [1, 0], "limit": 2}, {"query": [0, 1]}], "limit": 2}
    (tmp_path / "tree.json").write_text(json.dumps(tree))
    assert len(lines(headwater("--json", "query", shop, "--request", tmp_path / "tree.json").out)) == 2
    assert "is not in the answer" in headwater("why", shop, LARGE, "--vector", "1,0", "-n", "1").out


def test_points_are_read_and_deleted(headwater: Headwater, shop: str) -> None:
    assert headwater("count", shop, "--filter", "price > 0").out == "2\n"
    assert json.loads(headwater("--json", "count", shop).out) == {"count": 3}
    got = headwater("--json", "get", shop, LARGE, "key:schön ☃", "--with-vectors")
    assert [record["id"] for record in lines(got.out)] == [LARGE, "schön ☃"]  # type: ignore[index]
    assert headwater("get", shop, "1", "key:1").code == Exit.NOT_FOUND
    assert len(lines(headwater("--json", "scroll", shop, "-n", "0").out)) == 3
    assert len(lines(headwater("--json", "scroll", shop, "-n", "2").out)) == 2
    assert headwater("delete", shop).code == Exit.USAGE
    assert headwater("delete", shop, "1", "--filter", "price > 0").code == Exit.USAGE
    assert headwater("delete", shop, "1", "--yes").code == Exit.OK
    assert headwater("delete", shop, "-f", "price == 20", "-y").code == Exit.OK
    assert headwater("count", shop).out == "1\n"


def test_state_and_upkeep(headwater: Headwater, shop: str) -> None:
    assert "3 points" in headwater("stats", shop).out
    assert json.loads(headwater("--json", "stats", shop).out)["points"] == 3
    measured = lines(headwater("--json", "recall", shop, "--ef", "16", "--ef", "32", "--k", "1").out)
    assert [row["ef"] for row in measured] == [16, 32]  # type: ignore[index]
    assert headwater("optimize", shop).code == Exit.OK
    assert headwater("tasks").code == Exit.OK
    [row] = lines(headwater("--json", "top", "--seconds", "0.1").out)
    assert row["points"] == 3  # type: ignore[index]
    assert "shop" in headwater("top", "--once", "--seconds", "0.1").out


def test_snapshots(headwater: Headwater, shop: str, tmp_path: Path) -> None:
    assert headwater("snapshot", "create", shop, "one").out == "one\n"
    assert "one" in headwater("snapshot", "list").out
    file = tmp_path / "one.file"
    assert headwater("snapshot", "download", shop, "one", file).out == f"{file}\n"
    assert headwater("snapshot", "delete", shop, "one").code == Exit.OK
    assert headwater("snapshot", "upload", file, "--name", "two").code == Exit.OK
    assert headwater("snapshot", "restore", shop, "two", "back").code == Exit.OK
    assert headwater("count", "back").out == "3\n"
    assert headwater("drop", "back", "-y").code == Exit.OK
    assert headwater("snapshot", "delete", shop, "two").code == Exit.OK


def test_how_commands_end(headwater: Headwater, shop: str) -> None:
    wrong = headwater("query", shop, "--vector", "1,0", "--filter", "price <")
    assert wrong.code == Exit.USAGE
    assert re.fullmatch(r"headwater: filter\.expression: line 1, .*\n", wrong.err)
    assert headwater("query", shop, "--vector", "1,0,0").code == Exit.USAGE
    assert headwater("query", shop, "--vector", "one").code == Exit.USAGE
    assert headwater("query", shop).code == Exit.USAGE
    assert headwater("show", "nobody").code == Exit.NOT_FOUND
    assert headwater("nothing").code == Exit.USAGE
    assert headwater("--timeout", "5", "--address", "127.0.0.1:1", "collections").code == Exit.UNAVAILABLE
    assert headwater("import", shop, "/nowhere.jsonl").code == Exit.FILE
    assert headwater("create", "x", "-v", "three").code == Exit.USAGE


def test_profiles(headwater: Headwater, server: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HEADWATER_ADDRESS")
    folder = tmp_path / "config" / "headwater"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(f'[default]\naddress = "{server.address}"\n[far]\naddress = "127.0.0.1:1"\n')
    assert headwater("collections").code == Exit.OK
    assert headwater("--profile", "far", "--timeout", "2", "collections").code == Exit.UNAVAILABLE
    assert headwater("--profile", "far", "--address", server.address, "collections").code == Exit.OK
    assert headwater("--profile", "missing", "collections").code == Exit.USAGE
    for text in ("[default]\nadress = 1", "[default]\naddress = 1", "default = 1", "[", "[default]\ntimeout = true"):
        (folder / "config.toml").write_text(text)
        assert headwater("collections").code == Exit.FILE


def test_the_help_of_every_command_has_an_example(headwater: Headwater) -> None:
    program = whole()
    groups: list[tuple[list[str], typer.Typer]] = [([], program)]
    for group in program.registered_groups:
        assert group.name is not None
        assert group.typer_instance is not None
        groups.append(([group.name], group.typer_instance))
    names = []
    for start, group_of in groups:
        for command in group_of.registered_commands:
            assert command.callback is not None
            names.append([*start, command.name or command.callback.__name__])
    assert len(names) > 20
    for name in names:
        told = headwater(*name, "--help")
        assert told.code == Exit.OK
        assert "Example: headwater" in " ".join(told.out.split()), name


def test_help_loads_no_client() -> None:
    program = "import sys; sys.argv[1:] = ['query', '--help']; from headwater._cli import main; main(); "
    program += "print([name for name in ('numpy', 'grpc', 'google', 'pyarrow') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment())
    assert done.stdout.endswith("[]\n"), done.stderr


def test_a_reader_that_leaves_is_no_error(server: Service, shop: str) -> None:
    command = f"{sys.executable} -m headwater._cli --json scroll {shop} | head -n 1"
    settings = {**environment(), "HEADWATER_ADDRESS": server.address}
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, env=settings)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["id"] == 1


def test_an_import_that_was_stopped_goes_on(headwater: Headwater, server: Service, tmp_path: Path) -> None:
    file = tmp_path / "many.jsonl"
    with file.open("w") as rows:
        for number in range(20_000):
            rows.write(json.dumps({"id": number, "vector": [1, number], "payload": {"n": number}}) + "\n")
    assert headwater("create", "many", "-v", "2").code == Exit.OK
    settings = {**environment(), "HEADWATER_ADDRESS": server.address, "XDG_CACHE_HOME": os.environ["XDG_CACHE_HOME"]}
    command = [sys.executable, "-m", "headwater._cli", "import", "many", str(file), "--batch-size", "50"]
    for number in (signal.SIGINT, signal.SIGKILL):
        process = subprocess.Popen(
            command, env=settings, cwd=ROOT, stderr=subprocess.PIPE, text=True, preexec_fn=hear_interrupts
        )
        before = int(headwater("count", "many").out)
        while int(headwater("count", "many").out) < before + 200:
            time.sleep(0.01)
        process.send_signal(number)
        said = process.communicate(timeout=60)[1]
        assert process.returncode == (Exit.INTERRUPTED if number is signal.SIGINT else -signal.SIGKILL), said
    rest = headwater("import", "many", file)
    assert rest.code == Exit.OK
    assert "going on after" in rest.err
    assert headwater("count", "many").out == "20000\n"
    again = headwater("import", "many", file)
    assert again.out == "imported 20,000 points\n"
    assert headwater("drop", "many", "-y").code == Exit.OK


def test_the_page_of_the_command_line_is_true(
    headwater: Headwater, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its commands run, its query of several stages too, and its exit codes are those of the program."""
    page = (ROOT / "docs/cli.md").read_text()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "items.csv").write_text('id,title,price,vector\n1,red shoe,9,"[1,0,0]"\n2,blue shoe,19,"[0,1,0]"\n')
    [commands] = re.findall(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    for line in commands.splitlines():
        assert headwater(*shlex.split(line)[1:]).code == Exit.OK, line
    [tree] = re.findall(r"^```json\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    (tmp_path / "tree.json").write_text(tree)
    assert headwater("query", "shop", "--request", "tree.json").code == Exit.OK
    assert headwater("drop", "shop", "-y").code == Exit.OK
    assert [int(code) for code in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)] == [each.value for each in Exit]


def test_keys(headwater: Headwater, tmp_path: Path) -> None:
    """On a server of their own, since from the first key on every request needs one."""
    with serving(tmp_path / "data") as guarded:
        at = ("--address", guarded.address)
        secret = headwater(*at, "key", "create", "root", "admin").out.strip()
        assert headwater(*at, "collections").code == Exit.DENIED
        own = (*at, "--api-key", secret)
        made = headwater(*own, "--json", "key", "create", "a", "read", "--collection", "x", "--expires", "2100-01-01")
        assert json.loads(made.out)["key"]["collections"] == ["x"]
        assert [line.split()[:2] for line in headwater(*own, "key", "list").out.splitlines()[1:]] == [
            ["a", "read"],
            ["root", "admin"],
        ]
        assert len(headwater(*own, "key", "rotate", "a").out) > 40
        assert headwater(*own, "key", "delete", "a").code == Exit.OK
        assert headwater(*own, "key", "delete", "a").code == Exit.NOT_FOUND
        assert headwater(*own, "key", "create", "a", "all").code == Exit.USAGE
