"""Keys that the server stores: made, rotated and deleted while it runs, durable, and never without an administrator."""

import json
import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from headwater import (
    Client,
    InvalidArgumentError,
    KeyScope,
    PermissionDeniedError,
    StorageFailedError,
    UnauthenticatedError,
    VectorParams,
)
from server.app import CannotStart, serve
from server.config import Config
from server.keys import Access, Keyring, ManagedKeys, Scope, hashed
from storage.errors import InvalidRequest
from tests.support.serving import serving


def test_from_an_open_server_to_one_with_keys(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with serving(data) as server, Client(server.address) as anybody:
        anybody.collections.create("shop", VectorParams(2))
        for scope, more in (("read", {}), ("admin", {"collections": ["shop"]}), ("admin", {"expires": _soon()})):
            with pytest.raises(InvalidArgumentError, match="first key"):
                anybody.keys.create("first", scope, **more)
        assert anybody.keys.list() == []
        root = anybody.keys.create("root", "admin")
        assert root.secret not in repr(root)
        with pytest.raises(UnauthenticatedError):
            anybody.collections.list()
        with Client(server.address, api_key=root.secret) as admin:
            made = admin.keys.create("a", KeyScope.READ, collections=["sh*"], filter="n > 3", expires=_soon())
            assert [key.name for key in admin.keys.list()] == ["a", "root"]
            [a, _] = admin.keys.list()
            assert (a.scope, a.collections, a.filter) == (KeyScope.READ, ("sh*",), "n > 3")
            with Client(server.address, api_key=made.secret) as reader:
                assert reader.points.count("shop") == 0
                with pytest.raises(PermissionDeniedError):
                    reader.keys.list()
                with pytest.raises(PermissionDeniedError):
                    reader.points.delete("shop", [1])
    stored = (data / "keys.json").read_text()
    assert made.secret not in stored
    assert (data / "keys.json").stat().st_mode & 0o777 == 0o600
    with serving(data) as server, Client(server.address, api_key=made.secret) as reader:
        assert reader.points.count("shop") == 0
        with pytest.raises(UnauthenticatedError), Client(server.address) as anybody:
            anybody.collections.list()


def _soon() -> datetime:
    return datetime.now(UTC) + timedelta(hours=1)


@pytest.fixture
def admin(tmp_path: Path) -> Iterator[Client]:
    with serving(tmp_path / "data", api_key="root") as server, Client(server.address, api_key="root") as client:
        yield client


def test_a_key_is_rotated(admin: Client) -> None:
    old = admin.keys.create("a", "read").secret
    new = admin.keys.rotate("a")
    newest = admin.keys.rotate("a", overlap=3600)
    for secret in (old, new, newest):
        with Client(admin.target, api_key=secret) as client:
            assert client.collections.list() == []
    last = admin.keys.rotate("a", overlap=0)
    for secret in (old, new):
        with Client(admin.target, api_key=secret) as client, pytest.raises(UnauthenticatedError):
            client.collections.list()
    with Client(admin.target, api_key=last) as client:
        assert client.collections.list() == []
        assert admin.keys.delete("a")
        assert not admin.keys.delete("a")
        with pytest.raises(UnauthenticatedError):
            client.collections.list()


def test_an_overlap_ends(admin: Client) -> None:
    old = admin.keys.create("a", "read").secret
    admin.keys.rotate("a", overlap=0.2)
    with Client(admin.target, api_key=old) as client:
        end = time.monotonic() + 60
        while _is_good(client):
            assert time.monotonic() < end


def _is_good(client: Client) -> bool:
    try:
        client.collections.list()
    except UnauthenticatedError:
        return False
    return True


def test_what_is_no_key_is_refused(admin: Client) -> None:
    for name, scope, more in (
        ("", "read", {}),
        ("a\n", "read", {}),
        ("a", "read", {"collections": [""]}),
        ("a", "read", {"filter": "n >"}),
        ("a", "read", {"filter": "has_id(3)"}),
        ("a", "admin", {"filter": "n > 3"}),
        ("a", "read", {"expires": datetime(2020, 1, 1, tzinfo=UTC)}),
    ):
        with pytest.raises(InvalidArgumentError):
            admin.keys.create(name, scope, **more)
    with pytest.raises(ValueError, match="scope"):
        admin.keys.create("a", "all")
    with pytest.raises(ValueError, match="timezone"):
        admin.keys.create("a", "read", expires=datetime(2030, 1, 1))
    admin.keys.create("a", "read")
    with pytest.raises(InvalidArgumentError, match="another key"):
        admin.keys.create("a", "write")
    for overlap in (-1.0, 1e9, float("nan")):
        with pytest.raises(InvalidArgumentError, match="overlap"):
            admin.keys.rotate("a", overlap=overlap)
    with pytest.raises(InvalidArgumentError, match="no key"):
        admin.keys.rotate("b")
    assert [key.name for key in admin.keys.list()] == ["a"]


def test_the_last_administrator_stays(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server, Client(server.address) as anybody:
        root = anybody.keys.create("root", "admin")
        with Client(server.address, api_key=root.secret) as admin:
            admin.keys.create("some", "admin", collections=["a"])
            with pytest.raises(InvalidArgumentError, match="last key"):
                admin.keys.delete("root")
            second = admin.keys.create("second", "admin")
            assert admin.keys.delete("root")
        with Client(server.address, api_key=second.secret) as admin:
            assert [key.name for key in admin.keys.list()] == ["second", "some"]


def test_a_key_that_cannot_be_stored_is_none(admin: Client, tmp_path: Path) -> None:
    (tmp_path / "data" / "keys.part").mkdir()
    with pytest.raises(StorageFailedError):
        admin.keys.create("a", "read")
    assert admin.keys.list() == []


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"format": 1}', '{"format": 2, "keys": []}', '{"format": 1, "keys": [{}]}']
)
def test_a_damaged_file_keeps_the_server_from_starting(tmp_path: Path, text: str) -> None:
    """It must not become open to everybody."""
    with serve(Config(data=tmp_path / "data", listen="localhost:0")):
        pass
    (tmp_path / "data" / "keys.json").write_text(text)
    with pytest.raises(CannotStart, match=r"keys\.json"), serve(Config(data=tmp_path / "data", listen="localhost:0")):
        pass


def test_stored_keys_have_their_format(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server, Client(server.address) as anybody:
        anybody.keys.create("root", "admin")
    stored = json.loads((tmp_path / "data" / "keys.json").read_text())
    assert stored["format"] == 1
    assert [key["name"] for key in stored["keys"]] == ["root"]


def test_of_two_removals_at_once_one_finds_the_last_administrator(tmp_path: Path) -> None:
    """Else the server would be open to everybody."""
    keys = Keyring(ManagedKeys(tmp_path / "keys.json"))
    for name in ("one", "two"):
        keys.create(Access(name=name, scope=Scope.ADMIN))
    begin = threading.Barrier(2)

    def delete(name: str) -> bool:
        begin.wait()
        try:
            return keys.delete(name)
        except InvalidRequest:
            return False

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(delete, ("one", "two"))) == [False, True]
    assert not keys.is_open
    asked = []
    keys.managed.create(
        Access(name="three", scope=Scope.READ), lambda access: asked.append(keys.managed._lock.locked())
    )
    keys.managed.delete("three", lambda removed, rest: asked.append(keys.managed._lock.locked()))
    assert asked == [True, True]  # no other change can come between the check and the change


def test_an_administrator_that_expires_may_delete_what_is_none(tmp_path: Path) -> None:
    stored = ManagedKeys(tmp_path / "keys.json")
    for name, scope in (("root", Scope.ADMIN), ("reader", Scope.READ)):
        stored.create(Access(name=name, scope=scope, expires=4e9), lambda access: None)
    keys = Keyring(stored)
    assert keys.delete("reader")
    with pytest.raises(InvalidRequest, match="last key"):
        keys.delete("root")


def test_the_log_says_which_key_changed_and_no_secret(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Also the first one of an open server."""
    caplog.set_level(logging.INFO, "server.keys")
    with serving(tmp_path / "data") as server, Client(server.address) as anybody:
        secrets = [anybody.keys.create("root", "admin").secret]
        with Client(server.address, api_key=secrets[0]) as admin:
            secrets.append(admin.keys.create("a", "read").secret)
            secrets.append(admin.keys.rotate("a"))
            assert admin.keys.delete("a")
            assert not admin.keys.delete("a")
    told = [(record.message, record.fields["key_name"]) for record in caplog.records if hasattr(record, "fields")]
    assert told == [
        ("a key was made", "root"),
        ("a key was made", "a"),
        ("a key got another secret", "a"),
        ("a key was deleted", "a"),
    ]
    logged = [str(vars(record)) for record in caplog.records]
    assert not any(secret in line or hashed(secret) in line for secret in secrets for line in logged)
