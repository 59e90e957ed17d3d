"""Settings of the server: their sources and their bounds. It builds nothing from them and imports no numpy."""

import argparse
import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from server.addresses import is_loopback

ENVIRONMENT_PREFIX = "HEADWATER_"
MAX_DIMENSIONS = 65_536  # as in storage/schema/checks.py, which would import numpy
MAX_MAP_BYTES = 2**46  # half of what a process can address
MAX_SOCKET_PATH_BYTES = 107  # the system's limit, without the zero byte that it adds
MAX_SECONDS = 1e6  # what timers and gRPC's milliseconds can hold
KERNELS = ("auto", "off", "avx512", "avx2", "neon", "scalar")
LOG_LEVELS = ("debug", "info", "warning", "error")
LOG_FORMATS = ("text", "json")


Names = tuple[str, ...]


class InvalidConfig(ValueError):
    """A setting has a wrong value. The message names it."""


def _about(text: str, **rules: Any) -> dict[str, Any]:
    """The metadata of a setting: its help text, and its rules `low`, `high`, `choices` and the `metavar` of its
    flag.
    """
    return {"help": text, **rules}


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """All settings, checked when the object is made.

    Each is also a flag and an environment variable of the same name.
    """

    data: Path = field(metadata=_about("folder of the stored data; made when absent", metavar="DIR"))
    listen: str = field(
        default="localhost:50051",
        metadata=_about("address to listen on; port 0 takes a free one", metavar="HOST:PORT|unix:PATH"),
    )
    workers: int = field(default=8, metadata=_about("cheap requests that work at a time", low=1, high=1024))
    dear_workers: int | None = field(
        default=None,
        metadata=_about("dear requests that work at a time, others take turns; by default half the processors", low=1),
    )
    max_concurrent_rpcs: int = field(
        default=4_096, metadata=_about("requests waiting for their turn before RESOURCE_EXHAUSTED", low=1)
    )
    max_waiting_bytes: int = field(
        default=512 * 2**20, metadata=_about("bytes of requests, served or waiting, before RESOURCE_EXHAUSTED", low=1)
    )
    max_streams_of_connection: int = field(
        default=256, metadata=_about("calls in flight of one connection; a client keeps back what is more", low=1)
    )
    max_streams: int = field(
        default=16, metadata=_about("uploads and downloads open at a time; others wait", low=1, high=1024)
    )
    stream_idle_seconds: float = field(
        default=30.0,
        metadata=_about("time that a stream may wait for its client before it is ended", low=0.1, high=MAX_SECONDS),
    )
    min_ping_seconds: float = field(
        default=5.0,
        metadata=_about(
            "time between keepalive pings of a client; more often, and it is cut off", low=0, high=MAX_SECONDS
        ),
    )
    keepalive_seconds: float = field(
        default=60.0,
        metadata=_about("time without a word after which a connection is tested by a ping", low=1, high=MAX_SECONDS),
    )
    max_message_bytes: int = field(default=64 * 2**20, metadata=_about("largest request", low=2**10, high=2**31 - 1))
    max_reply_bytes: int = field(
        default=64 * 2**20,
        metadata=_about("largest reply; pages of a scroll end before it", low=2**10, high=2**31 - 1),
    )
    max_request_memory: int = field(
        default=512 * 2**20, metadata=_about("bytes of memory that one request may work in", low=2**20)
    )
    api_key: str | None = field(
        default=None, repr=False, metadata=_about("key that requests must carry as metadata `api-key`")
    )
    keys: Path | None = field(
        default=None, metadata=_about("TOML file of keys, read again when it changes", metavar="FILE")
    )
    insecure: bool = field(
        default=False,
        metadata=_about("listen beyond this machine although there are no keys", metavar="true|false"),
    )
    tls_cert: Path | None = field(
        default=None, metadata=_about("certificate chain, PEM; with the key it switches TLS on", metavar="FILE")
    )
    tls_key: Path | None = field(default=None, metadata=_about("private key of the certificate, PEM", metavar="FILE"))
    tls_client_ca: Path | None = field(
        default=None,
        metadata=_about("certificates, PEM, of which one must have signed that of each client", metavar="FILE"),
    )
    log_level: str = field(default="info", metadata=_about("least severe messages to log", choices=LOG_LEVELS))
    log_format: str = field(default="text", metadata=_about("form of log lines on standard error", choices=LOG_FORMATS))
    slow_ms: float = field(
        default=1000.0, metadata=_about("log requests that take at least so many milliseconds; 0 logs none", low=0)
    )
    grace_seconds: float = field(
        default=10.0, metadata=_about("time that running requests get at a stop", low=0, high=MAX_SECONDS)
    )
    math_threads: int = field(
        default=1, metadata=_about("threads of each linear algebra call; the workers run side by side", low=1)
    )
    kernels: str = field(
        default="auto",
        metadata=_about(
            "instructions of the native kernels; auto: the best of this processor, off: numpy, the same answers",
            choices=KERNELS,
        ),
    )
    switch_interval: float = field(
        default=0.0005, metadata=_about("seconds a thread may keep the interpreter", low=1e-6, high=1)
    )
    map_size: int = field(
        default=64 * 2**30,
        metadata=_about(
            "bytes of address space kept for ids and payloads, per collection", low=2**20, high=MAX_MAP_BYTES
        ),
    )
    disk_reserve: int = field(
        default=64 * 2**20,
        metadata=_about("bytes of the disk kept back so that deletes work when it is full; 0: none", low=0),
    )
    max_pending_writes: int = field(
        default=1024, metadata=_about("writes waiting per collection before RESOURCE_EXHAUSTED", low=1)
    )
    max_pending_bytes: int = field(
        default=256 * 2**20, metadata=_about("bytes of writes waiting per collection", low=2**10)
    )

    field_index_bytes: int = field(
        default=256 * 2**20,
        metadata=_about("bytes of the indexes that payload fields get when they are filtered often; 0: none", low=0),
    )
    text_index_bytes: int = field(
        default=2**30,
        metadata=_about("bytes of text indexes beyond which those not in use go, to be made again when needed", low=0),
    )
    search_timeout: float | None = field(
        default=None,
        metadata=_about(
            "seconds that a request of queries may take, whatever its deadline", low=1e-3, high=MAX_SECONDS
        ),
    )
    max_scan: int | None = field(
        default=None, metadata=_about("rows that one search may score without an index", low=1)
    )
    max_dimension: int = field(
        default=MAX_DIMENSIONS, metadata=_about("largest size of a new space", low=1, high=MAX_DIMENSIONS)
    )
    max_build_memory: int | None = field(
        default=None, metadata=_about("bytes that building indexes may take together; one larger is refused", low=2**20)
    )
    reopen_on_use: bool = field(
        default=True,
        metadata=_about(
            "a closed collection is opened by its next use; false: it is refused until opened", metavar="true|false"
        ),
    )

    max_open_collections: int | None = field(
        default=None,
        metadata=_about(
            "collections open at once; others are opened by their next use; unset: what the system allows",
            low=1,
        ),
    )

    owner: int | None = field(
        default=None, metadata=_about("process of which the server is a part: it ends when that has ended", low=1)
    )
    temporary_folder: Path | None = field(
        default=None,
        metadata=_about("folder, new or empty, that is made at the start and removed at the end", metavar="DIR"),
    )

    embedders: Path | None = field(
        default=None, metadata=_about("TOML file that says which embedders make vectors of texts", metavar="FILE")
    )

    http: str | None = field(
        default=None,
        metadata=_about(
            "address of RPCs over HTTP; unset: there are none; port 0 takes a free one", metavar="HOST:PORT"
        ),
    )
    http_allow_host: Names = field(
        default=(),
        metadata=_about(
            "names, with commas, besides localhost by which the HTTP port may be asked while it listens on loopback",
            metavar="NAMES",
        ),
    )
    http_allow_origin: Names = field(
        default=(),
        metadata=_about("origins, with commas, of other web pages that may ask the HTTP port", metavar="ORIGINS"),
    )

    metrics_collections: int = field(
        default=50,
        metadata=_about(
            "open collections with series of their own in /metrics; the others are summed as `other`",
            low=0,
            high=10_000,
        ),
    )
    open_metrics: bool = field(
        default=False, metadata=_about("whether /metrics of the HTTP port needs no api-key", metavar="true|false")
    )

    def __post_init__(self) -> None:
        for setting in dataclasses.fields(self):
            check_setting(setting, getattr(self, setting.name))
        if socket_path(self.listen) is None:
            split_address(self.listen)
        if self.http is not None:
            split_address(self.http, "http")
        if (self.tls_cert is None) != (self.tls_key is None):
            raise InvalidConfig("tls_cert and tls_key go together")
        if self.tls_client_ca is not None and self.tls_cert is None:
            raise InvalidConfig("tls_client_ca: it needs tls_cert and tls_key, too")
        if self.api_key is not None and not _is_metadata(self.api_key):
            raise InvalidConfig("api_key: is empty, or not of printable ASCII without a space at either end")

    def reached_from_elsewhere(self) -> str | None:
        """The first setting that lets other machines reach the server, and its address; None: none does."""
        for setting, address in (("listen", self.listen), ("http", self.http)):
            if address is not None and socket_path(address) is None and not is_loopback(address):
                return f"{setting}: {address}"
        return None


def _is_metadata(text: str) -> bool:
    """Whether gRPC metadata can carry the text as it is."""
    return text != "" and text.isascii() and text.isprintable() and text == text.strip()


def socket_path(address: str) -> Path | None:
    """The Unix socket of an address `unix:PATH`, also written `unix:///PATH`. None: it has another form.

    Raises InvalidConfig if the path cannot be that of a socket.
    """
    if not address.startswith("unix:"):
        return None
    text = address.removeprefix("unix:")
    text = text[2:] if text.startswith("///") else text
    if not text.strip("/") or "\0" in text or text.startswith("//"):
        raise InvalidConfig(f"listen: {address!r} names no socket; write unix:/path")
    if len(text.encode(errors="surrogateescape")) > MAX_SOCKET_PATH_BYTES:
        raise InvalidConfig(f"listen: the path of a socket may have at most {MAX_SOCKET_PATH_BYTES} bytes")
    return Path(text)


def split_address(address: str, setting: str = "listen") -> tuple[str, int]:
    """Host and port of `HOST:PORT`; an IPv6 host is in brackets. Raises InvalidConfig, which names the setting."""
    host, colon, port = address.rpartition(":")
    if not (host and colon and port.isascii() and port.isdigit() and int(port) < 2**16):
        raise InvalidConfig(f"{setting}: {address!r} is not HOST:PORT")
    if ":" in host and not (host.startswith("[") and host.endswith("]")):
        raise InvalidConfig(f"{setting}: write the IPv6 host of {address!r} in brackets")
    return host, int(port)


def read_config(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> Config:
    """The settings from flags, then environment variables, then defaults. Raises InvalidConfig.

    As a command does, it prints a text and raises SystemExit on `--help` and on unknown flags.
    """
    chosen = dict(_from_environment(environment))
    chosen |= {name: value for name, value in vars(_parser().parse_args(arguments)).items() if value is not None}
    if "data" not in chosen:
        raise InvalidConfig(f"data: give --data DIR or {ENVIRONMENT_PREFIX}DATA")
    return Config(**chosen)


def _from_environment(environment: Mapping[str, str]) -> Mapping[str, Any]:
    texts = {setting: environment.get(_variable(setting)) for setting in dataclasses.fields(Config)}
    return {setting.name: _parse(setting, text) for setting, text in texts.items() if text is not None}


def _parse(setting: "dataclasses.Field[Any]", text: str) -> Any:
    try:
        return _of_text(setting)(text)
    except ValueError:
        raise InvalidConfig(f"{_variable(setting)}: {text!r} is not {_type(setting).__name__}") from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="headwater-server",
        description="Serve the Headwater vector service. A setting is a flag or an environment variable; a flag wins.",
        epilog="Other commands: headwater-server check DIR, health ADDRESS, key.",
    )
    for setting in dataclasses.fields(Config):
        choices = setting.metadata.get("choices")
        metavar = setting.metadata.get("metavar", None if choices else _type(setting).__name__.upper())
        kind = _of_text(setting)
        parser.add_argument(_flag(setting), type=kind, choices=choices, metavar=metavar, help=_help(setting))
    return parser


def _help(setting: "dataclasses.Field[Any]") -> str:
    default = "required" if setting.default is dataclasses.MISSING else f"default {_text(setting.default)}"
    shown = "" if setting.default is None else f" ({default})"
    return f"{setting.metadata['help']}{shown} [{_variable(setting)}]"


def _text(value: Any) -> str:
    """A value as it is written in a flag or variable."""
    if isinstance(value, tuple):
        return ",".join(value) or "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


def check_setting(setting: "dataclasses.Field[Any]", value: Any) -> None:
    """Raises InvalidConfig unless `value` obeys the rules in the metadata of its field."""
    metadata = setting.metadata
    if "choices" in metadata and value not in metadata["choices"]:
        raise InvalidConfig(f"{setting.name}: {value!r} is not one of {', '.join(metadata['choices'])}")
    if value is None:
        return
    # Written with `not`, so that NaN, for which every comparison is false, is refused.
    if "low" in metadata and not value >= metadata["low"]:
        raise InvalidConfig(f"{setting.name}: {value} is less than {metadata['low']}")
    if "high" in metadata and not value <= metadata["high"]:
        raise InvalidConfig(f"{setting.name}: {value} is more than {metadata['high']}")


def _type(setting: "dataclasses.Field[Any]") -> type[Any]:
    """The type of a setting's values. For `X | None` it is X."""
    kind: Any = setting.type
    if kind is Names:
        return tuple
    parts: tuple[type[Any], ...] = getattr(kind, "__args__", (kind,))
    return next(part for part in parts if part is not type(None))


def _of_text(setting: "dataclasses.Field[Any]") -> Callable[[str], Any]:
    """The function that makes a value from a setting's text. Raises ValueError."""
    special: dict[type[Any], Callable[[str], Any]] = {
        bool: boolean,
        Path: path,
        int: integer,
        float: number,
        tuple: names,
    }
    return special.get(_type(setting), _type(setting))


def boolean(text: str) -> bool:
    """`true` or `false`."""
    if text not in ("true", "false"):
        raise ValueError(text)
    return text == "true"


def integer(text: str) -> int:
    """An integer in ASCII digits. Digits of other scripts are refused."""
    return int(_ascii(text))


def number(text: str) -> float:
    """A number in ASCII."""
    return float(_ascii(text))


def _ascii(text: str) -> str:
    if not text.isascii():
        raise ValueError(text)
    return text


def path(text: str) -> Path:
    """A path that is not empty. An empty text does not mean the current folder."""
    if not text:
        raise ValueError(text)
    return Path(text)


def names(text: str) -> Names:
    """Names with commas between them. None is empty."""
    found = tuple(name.strip() for name in text.split(","))
    if not all(found):
        raise ValueError(text)
    return found


def _flag(setting: "dataclasses.Field[Any]") -> str:
    return "--" + setting.name.replace("_", "-")


def _variable(setting: "dataclasses.Field[Any]") -> str:
    return ENVIRONMENT_PREFIX + setting.name.upper()
