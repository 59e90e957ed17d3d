"""The pages below /console: what browsers are told about them, and what is said where nothing is built."""

import http.client
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from starlette.applications import Starlette

from server.http import HttpPort, console_routes


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a port that serves the page in `folder`."""
    port = HttpPort(Starlette(routes=console_routes(folder)), "127.0.0.1:0")
    with closing(port):
        port.start()
        yield port.address


def answer(address: str, path: str, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    with closing(http.client.HTTPConnection(address, timeout=30)) as connection:
        connection.request(method, path)
        reply = connection.getresponse()
        return reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a port with a page."""
    folder = tmp_path_factory.mktemp("served") / "console"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>Headwater</title>")
    (folder / "assets" / "index-1a2b.js").write_text("void 0")
    (folder.parent / "secret").write_text("not to be seen")
    with served(folder) as address:
        yield address


@pytest.mark.parametrize("path", ["/console/", "/console/assets/index-1a2b.js"])
def test_the_page_may_load_only_its_own_files_and_ask_only_its_own_server(built: str, path: str) -> None:
    status, headers, _ = answer(built, path)
    assert status == 200
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert {policy[name] for name in ("script-src", "style-src", "connect-src")} == {"'self'"}
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert headers["x-content-type-options"] == "nosniff"


def test_files_whose_names_have_a_hash_stay_in_caches_and_the_page_does_not(built: str) -> None:
    assert answer(built, "/console/")[1]["cache-control"] == "no-cache"
    assert "immutable" in answer(built, "/console/assets/index-1a2b.js")[1]["cache-control"]


def test_the_name_without_a_slash_leads_to_the_page(built: str) -> None:
    status, headers, _ = answer(built, "/console")
    assert (status, headers["location"]) == (308, "/console/")


@pytest.mark.parametrize(
    "path", ["/console/../secret", "/console/%2e%2e/secret", "/console/..%2fsecret", "/console/no"]
)
def test_no_other_file_is_served(built: str, path: str) -> None:
    status, _, body = answer(built, path)
    assert status == 404
    assert b"not to be seen" not in body


def test_the_page_takes_no_writes(built: str) -> None:
    assert answer(built, "/console/", "POST")[0] == 405


def test_where_nothing_is_built_the_page_says_how_it_is_built(tmp_path: Path) -> None:
    with served(tmp_path / "console") as address:
        status, headers, body = answer(address, "/console/")
    assert status == 503
    assert b"make console" in body
    assert "content-security-policy" in headers
