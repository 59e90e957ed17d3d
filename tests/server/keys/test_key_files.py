"""Files of keys: what is in them, what is refused, and that a change acts on the next request."""

import logging
import time
from pathlib import Path
from typing import Any

import pytest

from headwater import Client, PermissionDeniedError, UnauthenticatedError
from server.app import CannotStart, serve
from server.config import Config
from server.keys import InvalidKeys, Keyring, ManagedKeys, Scope, hashed, keyring, new_secret
from server.keys.key_file import read_keys
from tests.support.serving import serving

HASH = hashed("secret")


def _file(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def _none(folder: Path) -> ManagedKeys:
    return ManagedKeys(folder / "keys.json")


def test_a_key_is_read(tmp_path: Path) -> None:
    text = f'[[key]]\nname = "r"\nscope = "write"\nsha256 = ["{HASH}", "{hashed("new")}"]\n'
    text += 'collections = ["a", "b-*"]\nfilter = \'n > 3\'\nexpires = 2030-01-01T00:00:00Z\n'
    keys = read_keys(_file(tmp_path / "keys.toml", text))
    assert set(keys) == {HASH, hashed("new")}
    access = keys[HASH]
    assert (access.name, access.scope) == ("r", Scope.WRITE)
    assert [access.sees(name) for name in ("a", "ab", "b", "b-", "b-1", "")] == [True, False, False, True, True, False]
    assert access.tenant is not None
    assert access.tenant.matches({"n": 4})
    assert not access.tenant.matches({"n": 3})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[key]", "line 1"),
        ("key = 3", "[[key]]"),
        ("[[key]]\nscope = 'read'", "name"),
        ("[[key]]\nname = ''\nscope = 'read'", "name"),
        ("[[key]]\nname = 'a'", "scope"),
        ("[[key]]\nname = 'a'\nscope = 'all'", "scope"),
        ("[[key]]\nname = 'a'\nscope = 'read'\nsha256 = 'secret'", "sha256"),
        ("[[key]]\nname = 'a'\nscope = 'read'\ncollections = []", "collections"),
        ("[[key]]\nname = 'a'\nscope = 'read'\ncollections = 'shop'", "collections"),
        ("[[key]]\nname = 'a'\nscope = 'read'\nfilter = 'n >'", "filter"),
        ("[[key]]\nname = 'a'\nscope = 'read'\nfilter = 'has_id(3)'", "filter"),
        ("[[key]]\nname = 'a'\nscope = 'read'\nfilter = '$id > 3'", "filter"),
        ("[[key]]\nname = 'a'\nscope = 'read'\nfilter = 'not (n > 1 and has_vector(\"\"))'", "filter"),
        ("[[key]]\nname = 'a'\nscope = 'admin'\nfilter = 'n > 3'", "filter"),
        ("[[key]]\nname = 'a'\nscope = 'read'\nexpires = 2030-01-01T00:00:00", "expires"),
        ("[[key]]\nname = 'a'\nscope = 'read'\nexpire = 2030-01-01", "expire"),
        ("[[key]]\nname = 'a'\nscope = 'read'\n[[key]]\nname = 'a'\nscope = 'read'", "another key"),
        (
            f"[[key]]\nname='a'\nscope='read'\nsha256='{HASH}'\n[[key]]\nname='b'\nscope='read'\nsha256='{HASH}'",
            "secret",
        ),
    ],
)
def test_what_is_no_key_is_refused_by_name(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InvalidKeys, match=said.replace("[", r"\[")):
        read_keys(_file(tmp_path / "keys.toml", text))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidKeys, match="No such file"):
        Keyring(_none(tmp_path), path=tmp_path / "none.toml")


def test_secrets_cannot_be_guessed() -> None:
    assert len({new_secret() for _ in range(100)}) == 100
    assert len(new_secret()) > 40


def test_a_change_acts_on_the_next_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(keyring, "LOOK_SECONDS", 0.0)
    caplog.set_level(logging.INFO, "server")
    one = f'[[key]]\nname = "one"\nscope = "admin"\nsha256 = "{hashed("one")}"\n'
    path = _file(tmp_path / "keys.toml", one)
    with serving(tmp_path / "data", keys=path) as server, Client(server.address, api_key="one") as first:
        assert first.collections.list() == []
        with Client(server.address, api_key="two") as second:
            with pytest.raises(UnauthenticatedError):
                second.collections.list()
            _file(path, one + f'[[key]]\nname = "two"\nscope = "read"\nsha256 = "{hashed("two")}"\n')
            assert second.collections.list() == []
            with pytest.raises(PermissionDeniedError, match="needs the scope admin") as denied:
                second.collections.delete("x")
            assert denied.value.metadata["key"] == "two"
            _file(path, "[[key")
            assert second.collections.list() == []
            assert "the old keys stay" in caplog.text
            _file(path, one)
            with pytest.raises(UnauthenticatedError):
                second.collections.list()
        first.collections.delete("nobody", strict=False)
    told = [record.fields for record in caplog.records if record.name == "server.audit"]  # type: ignore[attr-defined]
    denied_to_two = [each for each in told if each["key"] == "two"]
    assert [each["outcome"] for each in denied_to_two[:1]] == ["denied: it needs the scope admin"]
    assert any(each["key"] == "one" and each["method"].endswith("Collections/Delete") for each in told)
    for secret in ("one", "two"):
        assert hashed(secret) not in caplog.text


def test_a_key_ends_when_it_expires(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f'[[key]]\nname = "a"\nscope = "read"\nsha256 = "{HASH}"\nexpires = 2030-01-01T00:00:00Z\n'
    keys = Keyring(_none(tmp_path), path=_file(tmp_path / "keys.toml", text))
    assert keys.access_of("secret").name == "a"
    monkeypatch.setattr(time, "time", lambda: 1_893_456_000.0)
    from server.errors import Unauthenticated

    with pytest.raises(Unauthenticated):
        keys.access_of("secret")


@pytest.mark.parametrize("settings", [{"listen": "0.0.0.0:0"}, {"listen": "[::]:0"}, {"http": "0.0.0.0:0"}])
def test_a_server_for_everybody_must_be_meant(tmp_path: Path, settings: dict[str, Any]) -> None:
    given = {"listen": "localhost:0", **settings}
    [(setting, _)] = settings.items()
    with pytest.raises(CannotStart, match=f"{setting}: .*insecure"), serve(Config(data=tmp_path / "data", **given)):
        pass
    for allowed in ({"insecure": True}, {"api_key": "k"}):
        with serve(Config(data=tmp_path / "data", **given, **allowed)):
            pass
