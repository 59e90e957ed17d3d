"""The options that all commands share, wherever they stand; questions; and imports into collections made again."""

import io
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from headwater._cli.failures import Exit
from headwater._cli.values import point_id
from tests.client.cli.conftest import Headwater
from tests.support.server_process import environment
from tests.support.serving import Service


def test_options_of_the_program_stand_after_the_command_too(headwater: Headwater, server: Service, shop: str) -> None:
    counted = {"count": 3}
    assert json.loads(headwater("count", shop, "--json").out) == counted
    assert json.loads(headwater("--json", "count", shop).out) == counted
    assert headwater("--address", "127.0.0.1:1", "count", shop, "--address", server.address).out == "3\n"
    assert headwater("snapshot", "list", shop, "--address", "127.0.0.1:1").code == Exit.UNAVAILABLE
    assert headwater("snapshot", "--json", "list", shop).code == Exit.OK
    assert headwater("query", shop, "--bm25", "--json").out == headwater("query", shop, "--bm25", "json").out
    assert headwater("count", shop, "--profile", "missing").code == Exit.USAGE
    assert headwater("--tls-cert", "a.pem", "count", shop).code == Exit.USAGE
    assert headwater("count", shop, "--tls-ca", "/nowhere.pem").code == Exit.FILE


def test_a_folder_after_the_command_wins_over_an_address(headwater: Headwater, tmp_path: Path) -> None:
    assert headwater("create", "own", "-v", "2", "--local", tmp_path / "data").code == Exit.OK
    assert headwater("--local", tmp_path / "data", "--json", "collections").out.startswith('{"name": "own"')
    assert "own" not in headwater("collections").out
    assert "own" not in headwater("--local", tmp_path / "data", "collections", "--address", "127.0.0.1:1").out


def test_an_address_without_a_server_is_told_soon(headwater: Headwater) -> None:
    start = time.monotonic()
    assert headwater("collections", "--address", "127.0.0.1:1").code == Exit.UNAVAILABLE
    assert time.monotonic() - start < 45  # the timeout of requests is 60 seconds


def test_the_version_is_printed(headwater: Headwater) -> None:
    assert headwater("--version").out.startswith("headwater ")


@pytest.mark.parametrize(("answer", "code"), [("", Exit.USAGE), ("n\n", Exit.FAILED), ("y\n", Exit.OK)])
def test_what_is_asked_before_points_are_deleted(
    headwater: Headwater, shop: str, monkeypatch: pytest.MonkeyPatch, answer: str, code: Exit
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
    assert headwater("delete", shop, "1").code == code
    assert headwater("count", shop).out == ("2\n" if code == Exit.OK else "3\n")


def test_options_beside_the_file_of_a_query(headwater: Headwater, shop: str, tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text(json.dumps({"query": [1, 0], "limit": 3, "params": {"exact": True}}))
    assert headwater("--json", "query", shop, "--request", file).out.count("\n") == 3
    assert headwater("--json", "query", shop, "--request", file, "-n", "1").out.count("\n") == 1
    told = headwater("explain", shop, "--request", file, "--ef", "77").out
    assert "exact" in told


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("0", 0),
        ("18446744073709551615", 2**64 - 1),
        ("18446744073709551616", "18446744073709551616"),
        ("007", "007"),
        ("key:7", "7"),
        ("key:key:7", "key:7"),
        ("-1", "-1"),
        ("٣", "٣"),
        ("", ""),
        ("1" * 5000, "1" * 5000),
        ("123e4567-e89b-12d3-a456-426614174000", "123e4567-e89b-12d3-a456-426614174000"),
    ],
)
def test_ids_that_are_typed(text: str, found: int | str) -> None:
    assert point_id(text) == found


def _stopped_import(headwater: Headwater, file: Path) -> None:
    """An import of three points of which the last is wrong, so that two are noted as imported."""
    file.write_text('{"id": 1, "vector": [1, 0]}\n{"id": 2, "vector": [1, 0]}\n{"id": -1, "vector": [1, 0]}\n')
    assert headwater("import", "target", file, "--batch-size", "1").code == Exit.FILE


def test_an_import_into_a_collection_that_was_made_again_starts_anew(headwater: Headwater, tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    assert headwater("create", "target", "-v", "2").code == Exit.OK
    _stopped_import(headwater, file)
    assert "going on after 2 points" in headwater("import", "target", file).err
    assert "going on" not in headwater("import", "target", file, "--id-column", "sku").err
    assert headwater("drop", "target", "-y").code == Exit.OK
    assert headwater("create", "target", "-v", "2").code == Exit.OK
    assert "going on" not in headwater("import", "target", file, "--on-error", "skip").err
    assert headwater("count", "target").out == "2\n"
    assert headwater("drop", "target", "-y").code == Exit.OK


def test_a_shell_is_told_how_words_go_on() -> None:
    def completed(words: str, number: int) -> list[str]:
        settings = {"_HEADWATER_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(number)}
        program = "import sys; sys.argv = ['headwater']; from headwater._cli import main; sys.exit(main())"
        command = [sys.executable, "-c", program]
        return subprocess.run(
            command, capture_output=True, text=True, check=True, env={**environment(), **settings}
        ).stdout.split()

    assert completed("headwater co", 1) == ["collections", "count"]
    assert "restore" in completed("headwater snapshot ", 2)
    assert "--filter" in completed("headwater query shop --f", 3)


def test_json_of_what_has_no_number(headwater: Headwater, shop: str) -> None:
    for command in (("drop", shop, "-y"), ("collections",)):
        for line in headwater("--json", *command).out.splitlines():
            json.loads(line, parse_constant=pytest.fail)


def test_output_in_an_encoding_without_the_letters(server: Service, shop: str) -> None:
    settings = {**environment(), "HEADWATER_ADDRESS": server.address, "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "headwater._cli", "get", shop, "schön ☃", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, env=settings)
    assert (done.returncode, json.loads(done.stdout)["id"]) == (0, "schön ☃")
    plain = subprocess.run(command[:-1], capture_output=True, text=True, env=settings)
    assert (plain.returncode, plain.stderr) == (0, "")
