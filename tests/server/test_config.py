"""Settings: where they come from, which one wins, and what is refused."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from server.config import Config, InvalidConfig, read_config, split_address


def test_a_flag_wins_over_the_environment_and_it_over_the_default() -> None:
    environment = {"HEADWATER_DATA": "from-environment", "HEADWATER_WORKERS": "3", "HEADWATER_SLOW_MS": "7"}
    config = read_config(["--workers", "4"], environment)
    assert (config.data, config.workers, config.slow_ms) == (Path("from-environment"), 4, 7.0)
    assert config.listen == "localhost:50051"


def test_every_setting_is_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit:
        read_config(["--help"], {})
    text = capsys.readouterr().out
    assert exit.value.code == 0
    for setting in fields(Config):
        assert f"--{setting.name.replace('_', '-')} " in text
        assert f"[HEADWATER_{setting.name.upper()}]" in text


def test_the_key_is_not_shown() -> None:
    assert "secret" not in repr(Config(data=Path("data"), api_key="secret"))


def test_a_switch_is_true_or_false() -> None:
    assert read_config(["--reopen-on-use", "false"], {"HEADWATER_DATA": "data"}).reopen_on_use is False
    assert read_config([], {"HEADWATER_DATA": "data", "HEADWATER_REOPEN_ON_USE": "false"}).reopen_on_use is False
    assert read_config([], {"HEADWATER_DATA": "data", "HEADWATER_REOPEN_ON_USE": "true"}).reopen_on_use is True
    with pytest.raises(InvalidConfig, match="HEADWATER_REOPEN_ON_USE"):
        read_config([], {"HEADWATER_DATA": "data", "HEADWATER_REOPEN_ON_USE": "no"})


def test_no_data_directory_is_refused() -> None:
    with pytest.raises(InvalidConfig, match="--data"):
        read_config([], {})


def test_an_empty_path_is_not_the_current_folder() -> None:
    with pytest.raises(InvalidConfig, match="HEADWATER_DATA"):
        read_config([], {"HEADWATER_DATA": ""})
    with pytest.raises(SystemExit):
        read_config(["--data", ""], {})


def test_a_variable_of_the_wrong_type_is_refused_by_name() -> None:
    with pytest.raises(InvalidConfig, match="HEADWATER_WORKERS"):
        read_config([], {"HEADWATER_DATA": "data", "HEADWATER_WORKERS": "many"})


@pytest.mark.parametrize(("setting", "text"), [("workers", "٣"), ("slow_ms", "٣.5"), ("map_size", "１０７３７")])
def test_digits_are_those_of_ascii(setting: str, text: str) -> None:
    with pytest.raises(InvalidConfig, match=setting.upper()):
        read_config([], {"HEADWATER_DATA": "data", f"HEADWATER_{setting.upper()}": text})
    with pytest.raises(SystemExit):
        read_config(["--data", "data", f"--{setting.replace('_', '-')}", text])


@pytest.mark.parametrize("port", ["٥٠٠٥١", "５0051"])
def test_a_port_has_digits_of_ascii(port: str) -> None:
    with pytest.raises(InvalidConfig, match="HOST:PORT"):
        split_address(f"localhost:{port}")


@pytest.mark.parametrize(
    "setting",
    [
        {"workers": 0},
        {"workers": 1025},
        {"slow_ms": float("nan")},
        {"log_level": "loud"},
        {"log_format": "xml"},
        {"listen": "localhost"},
        {"listen": "localhost:65536"},
        {"listen": ":50051"},
        {"listen": "::1:50051"},
        {"api_key": ""},
        {"api_key": "schlüssel"},
        {"api_key": "key\n"},
        {"api_key": " key"},
        {"grace_seconds": float("inf")},
        {"keepalive_seconds": 1e7},
        {"search_timeout": float("inf")},
        {"map_size": 2**46 + 1},
        {"tls_cert": Path("cert.pem")},
        {"tls_key": Path("key.pem")},
    ],
)
def test_what_cannot_be_is_refused_by_name(setting: dict[str, Any]) -> None:
    with pytest.raises(InvalidConfig, match=next(iter(setting))):
        Config(data=Path("data"), **setting)


def test_an_ipv6_host_is_in_brackets() -> None:
    assert split_address("[::1]:50051") == ("[::1]", 50051)
