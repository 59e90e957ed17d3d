"""Who may ask the HTTP port, and what becomes of those who are rude: hosts, origins, keys, slow senders, the stop."""

import json
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path

import pytest

from server.addresses import host_name, is_loopback
from server.app import CannotStart, serve
from server.config import Config
from server.http import bodies, connections
from server.http.guards import Guards
from tests.support.connect import ask
from tests.support.serving import Service, serving

LIST = "/headwater.v1.Collections/List"


def test_other_names_of_this_machine_are_refused(http: str) -> None:
    """A page whose name was rebound to this machine sends its own name as the host."""
    port = http.rpartition(":")[2]
    for host in (f"localhost:{port}", f"127.0.0.1:{port}", f"[::1]:{port}", "localhost"):
        assert ask(http, LIST, headers={"host": host}).status == 200
    for host in ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "", "[::1", "a@localhost@b"):
        answer = ask(http, LIST, headers={"host": host})
        assert (answer.status, answer.json["code"]) == (403, "permission_denied")


def test_pages_of_other_origins_are_refused(http: str) -> None:
    assert ask(http, LIST, headers={"origin": f"http://{http}"}).status == 200
    for origin in ("http://evil.example", "null", "", f"https://{http}", f"http://{http}.evil.example"):
        answer = ask(http, LIST, headers={"origin": origin})
        assert answer.status == 403
        assert "access-control-allow-origin" not in answer.headers
    assert ask(http, LIST, method="OPTIONS", headers={"origin": "http://evil.example"}).status == 403


def test_origins_that_are_allowed(tmp_path: Path) -> None:
    page = "https://page.example"
    with serving(
        tmp_path / "data", http="127.0.0.1:0", http_allow_origin=(page,), http_allow_host=("db.example",)
    ) as web:
        assert web.http is not None
        preflight = ask(web.http, LIST, method="OPTIONS", headers={"origin": page})
        assert preflight.status == 204
        assert preflight.headers["access-control-allow-origin"] == page
        assert "content-type" in preflight.headers["access-control-allow-headers"]
        answer = ask(web.http, LIST, headers={"origin": page, "host": "db.example:9"})
        assert answer.status == 200
        assert answer.headers["access-control-allow-origin"] == page
        error = ask(web.http, "/headwater.v1.Collections/Get", headers={"origin": page})
        assert error.status == 404
        assert error.headers["access-control-allow-origin"] == page


def test_all_names_are_served_beyond_loopback() -> None:
    assert Guards(None, frozenset()).refusal("anything", None, "http") == ""
    assert [host for host in ("localhost:1", "127.0.0.2:1", "[::1]:1") if not is_loopback(host)] == []
    assert not any(map(is_loopback, ("0.0.0.0:1", "[::]:1", "10.0.0.1:1", "example.org:1", "")))
    assert host_name("[::1]:80") == "::1"


def test_a_key_is_needed(tmp_path: Path) -> None:
    with serving(tmp_path / "data", http="127.0.0.1:0", api_key="secret") as web:
        assert web.http is not None
        given: tuple[dict[str, str], ...] = ({"api-key": "secret"}, {"authorization": "Bearer secret"})
        for headers in given:
            assert ask(web.http, LIST, headers=headers).status == 200
        wrong: tuple[dict[str, str], ...] = ({}, {"api-key": "no"}, {"authorization": "Basic secret"})
        for headers in (*wrong, {"api-key": "no", "authorization": "Bearer secret"}):
            answer = ask(web.http, LIST, headers=headers)
            assert (answer.status, answer.json["code"]) == (401, "unauthenticated")
        assert ask(web.http, "/healthz", method="GET").json == {"status": "SERVING"}


def test_a_body_that_is_too_large_is_refused_before_it_comes(http: str) -> None:
    with closing(HTTPConnection(http, timeout=30)) as connection:
        connection.putrequest("POST", LIST)
        connection.putheader("content-type", "application/proto")
        connection.putheader("content-length", str(2**40))
        connection.endheaders()
        response = connection.getresponse()
        assert response.status == 400
        assert "max_message_bytes" in json.loads(response.read())["message"]


def test_a_body_without_end_is_refused(http: str) -> None:
    part = b" " * 2**20

    def parts() -> object:
        for _ in range(100):
            yield part

    try:
        answer = ask(http, LIST, parts(), kind="application/proto")  # type: ignore[arg-type]
    except OSError:
        return  # the server closed the connection while it was still being sent to
    assert "max_message_bytes" in answer.json["message"]


def _wait_until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def _connected(http: str) -> socket.socket:
    host, _, port = http.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=60)


def test_a_connection_that_sends_no_request_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MAX_STILL_SECONDS", 0.2)
    with serving(tmp_path / "data", http="127.0.0.1:0") as web:
        assert web.http is not None
        for sent in (b"", b"POST / HTTP/1.1\r\nhost: localhost\r\nx: "):
            with _connected(web.http) as silent:
                silent.sendall(sent)
                assert _is_closed(silent)


def _is_closed(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def test_a_body_that_does_not_come_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "MAX_BODY_SECONDS", 0.2)
    with serving(tmp_path / "data", http="127.0.0.1:0") as web:
        assert web.http is not None
        with _connected(web.http) as slow:
            head = f"POST {LIST} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
            slow.sendall(head.encode() + b"content-length: 9\r\n\r\n{")
            assert b" 504 " in slow.recv(2**16)


def test_connections_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MAX_CONNECTIONS", 2)
    with serving(tmp_path / "data", http="127.0.0.1:0") as web:
        assert web.http is not None
        with closing(HTTPConnection(web.http, timeout=60)) as one, closing(HTTPConnection(web.http, timeout=60)) as two:
            for each in (one, two):
                each.request("GET", "/healthz")
                assert each.getresponse().read()
            with pytest.raises(OSError):
                ask(web.http, LIST)
        _wait_until(lambda: _answers(web))


def _answers(web: Service) -> bool:
    assert web.http is not None
    try:
        return ask(web.http, LIST).status == 200
    except OSError:
        return False


def test_a_stop_answers_what_waits(tmp_path: Path) -> None:
    with serving(tmp_path / "data", http="127.0.0.1:0") as web:
        assert web.http is not None
        address = web.http
        assert ask(address, LIST).status == 200
        still = _connected(address)  # an open connection does not keep the server from its end
    with still, pytest.raises(OSError):
        ask(address, LIST)


def test_an_address_that_is_taken(tmp_path: Path, http: str) -> None:
    with pytest.raises(CannotStart, match="http: cannot listen"), serve(Config(data=tmp_path / "data", http=http)):
        pass


def test_tls(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = ["openssl", "req", "-x509", "-nodes", "-newkey", "rsa:2048", "-subj", "/CN=localhost", "-days", "2"]
    names = ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command, *names], check=True, capture_output=True)
    settings = {"listen": "localhost:0", "http": "localhost:0", "tls_cert": certificate, "tls_key": key}
    with serve(Config(data=tmp_path / "data", **settings)) as addresses:  # type: ignore[arg-type]
        assert addresses.http is not None
        context = ssl.create_default_context(cafile=str(certificate))
        with closing(HTTPSConnection(addresses.http, timeout=60, context=context)) as connection:
            connection.request("POST", LIST, b"{}", {"content-type": "application/json"})
            assert connection.getresponse().status == 200
        with pytest.raises((OSError, HTTPException)):
            ask(addresses.http, LIST)


def test_many_ask_at_a_time(http: str) -> None:
    found: list[int] = []

    def ask_some() -> None:
        found.extend(ask(http, LIST).status for _ in range(10))

    threads = [threading.Thread(target=ask_some) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [200] * 160
