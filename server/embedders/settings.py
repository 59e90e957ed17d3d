"""Settings of embedders: a TOML file with one table for each, read into frozen data. It starts no embedder."""

import dataclasses
import os
import tomllib
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from server.config import InvalidConfig, check_setting
from storage.schema import MAX_DIMENSIONS, MAX_NAME_BYTES

DEFAULT_CACHE_BYTES = 64 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAISettings:
    """An endpoint with OpenAI's `/v1/embeddings`. `timeout_seconds` bounds one attempt of one batch."""

    url: str
    model: str
    api_key_env: str = ""
    dimensions: int = field(default=0, metadata={"low": 0, "high": MAX_DIMENSIONS})
    timeout_seconds: float = field(default=30.0, metadata={"low": 0.01, "high": 600})
    retries: int = field(default=3, metadata={"low": 0, "high": 10})
    batch_size: int = field(default=256, metadata={"low": 1, "high": 2048})
    parallel: int = field(default=4, metadata={"low": 1, "high": 64})
    cache_bytes: int = field(default=DEFAULT_CACHE_BYTES, metadata={"low": 0})
    query_prefix: str = ""
    document_prefix: str = ""
    api_key: str = field(default="", repr=False, metadata={"derived": True})


@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxSettings:
    """A model in this process: the files `model.onnx` and `tokenizer.json` of the folder `path`."""

    path: str
    pooling: str = field(default="mean", metadata={"choices": ("mean", "cls")})
    normalize: bool = True
    max_tokens: int = field(default=256, metadata={"low": 1, "high": 65_536})
    batch_size: int = field(default=32, metadata={"low": 1, "high": 2048})
    threads: int = field(default=1, metadata={"low": 1, "high": 256})
    cache_bytes: int = field(default=DEFAULT_CACHE_BYTES, metadata={"low": 0})
    query_prefix: str = ""
    document_prefix: str = ""


EmbedderSettings = OpenAISettings | OnnxSettings
KINDS: Mapping[str, type[OpenAISettings] | type[OnnxSettings]] = {"openai": OpenAISettings, "onnx": OnnxSettings}


def read_embedders(file: Path, environment: Mapping[str, str] = os.environ) -> dict[str, EmbedderSettings]:
    """The settings of each embedder of the TOML `file`, by name. Raises InvalidConfig, which names table and key."""
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidConfig(f"embedders: cannot read {file}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidConfig(f"embedders: {file} is no TOML: {error}") from None
    return {name: _settings_of(name, table, environment) for name, table in tables.items()}


def _settings_of(name: str, table: Any, environment: Mapping[str, str]) -> EmbedderSettings:
    where = f"embedders: [{name}]"
    if not isinstance(table, dict):
        raise InvalidConfig(f"embedders: {name!r} is not a table; write [{name}] above its settings")
    if not name.strip() or len(name.encode()) > MAX_NAME_BYTES:
        raise InvalidConfig(f"{where} has no name of 1 to {MAX_NAME_BYTES} bytes")
    values = dict(table)
    kind = values.pop("kind", None)
    if kind not in KINDS:
        raise InvalidConfig(f"{where} kind: {kind!r} is not one of {', '.join(KINDS)}")
    fields = {each.name: each for each in dataclasses.fields(KINDS[kind]) if "derived" not in each.metadata}
    for key, value in values.items():
        if key not in fields:
            raise InvalidConfig(f"{where} {key}: is not a setting of {kind}; there are: {', '.join(fields)}")
        values[key] = _typed(value, fields[key].type, f"{where} {key}")
        try:
            check_setting(fields[key], values[key])
        except InvalidConfig as error:
            raise InvalidConfig(f"{where} {error}") from None
    missing = [key for key, each in fields.items() if each.default is dataclasses.MISSING and not values.get(key)]
    if missing:
        raise InvalidConfig(f"{where} {missing[0]}: is missing")
    if kind == "onnx":
        return OnnxSettings(**values)
    _check_url(values["url"], where)
    return OpenAISettings(**values, api_key=_api_key(values.get("api_key_env", ""), where, environment))


def _typed(value: Any, kind: Any, where: str) -> Any:
    """`value` if it has the type `kind`. An integer is also accepted as a float. Raises InvalidConfig."""
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not kind:
        raise InvalidConfig(f"{where}: {value!r} is not {kind.__name__}")
    return value


def _check_url(url: str, where: str) -> None:
    try:
        parts = urllib.parse.urlsplit(url)
        known = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        known = False
    if not known or not url.isascii() or not url.isprintable() or " " in url:
        raise InvalidConfig(f"{where} url: {url!r} is not an http or https URL such as http://localhost:8080/v1")


def _api_key(variable: str, where: str, environment: Mapping[str, str]) -> str:
    """The key in the environment variable of this name; "" if no name is given. Raises InvalidConfig."""
    if not variable:
        return ""
    key = environment.get(variable, "")
    if not (key and key.isascii() and key.isprintable()):
        raise InvalidConfig(f"{where} api_key_env: the environment variable {variable} is not set, or no key")
    return key
