"""Which server a command talks to: by flags, then the environment, then a profile of a file."""

import os
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headwater._cli.failures import Exit, Failure

if TYPE_CHECKING:
    from headwater import Client

DEFAULT_ADDRESS = "localhost:50051"
_KEYS = {
    "address": str,
    "api_key": str,
    "tls": bool,
    "tls_ca": str,
    "tls_cert": str,
    "tls_key": str,
    "timeout": (int, float),
    "local": str,
}
_QUICK_RETRIES = 10
"""Attempts to reach a server that does not answer, for commands that people wait for: about two seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """How to reach a server. None: not given. `local`: a folder, over which a server of one's own is started."""

    address: str | None = None
    api_key: str | None = None
    tls: bool | None = None
    tls_ca: str | None = None
    tls_cert: str | None = None
    tls_key: str | None = None
    timeout: float | None = None
    local: str | None = None

    def with_value(self, key: str, value: Any) -> "Connection":
        """The same, but for one key. An address takes the place of a folder, and the reverse."""
        if key in ("address", "local"):
            return replace(self, **{"address": None, "local": None, key: value})
        return replace(self, **{key: value})

    def client(self, *, patient: bool = False) -> "Client":
        """A client of the server. `patient`: it waits for a server that does not answer, until each call's deadline.

        Raises Failure if a file cannot be read, and HeadwaterError.
        """
        from headwater import Client

        timeout = 60.0 if self.timeout is None else self.timeout
        if self.local is not None:
            return Client.local(self.local, timeout=timeout)
        return Client(
            self.address or DEFAULT_ADDRESS,
            api_key=self.api_key,
            tls=self._credentials(),
            timeout=timeout,
            retries=None if patient else _QUICK_RETRIES,
        )

    def _credentials(self) -> Any:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise Failure("--tls-cert and --tls-key belong together", Exit.USAGE)
        files = (self.tls_ca, self.tls_key, self.tls_cert)
        if files == (None, None, None):
            return self.tls
        import grpc

        return grpc.ssl_channel_credentials(*(None if file is None else Path(file).read_bytes() for file in files))


def settings_file() -> Path:
    """The file of profiles: `headwater/config.toml` in the folder for settings of this user."""
    folder = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(folder) / "headwater" / "config.toml"


def with_profile(given: Connection, name: str | None) -> Connection:
    """`given`, with what it lacks taken from a profile. `name` None: the profile `default`, if there is one.

    A profile gives no address to a command that names a folder, and the reverse. Raises Failure.
    """
    profile = _profile(name)
    if given.local is not None or given.address is not None:
        profile = replace(profile, local=None, address=None)
    values = {key: getattr(given, key) for key in _KEYS}
    return replace(profile, **{key: value for key, value in values.items() if value is not None})


def _profile(name: str | None) -> Connection:
    path = settings_file()
    try:
        profiles = tomllib.loads(path.read_text())
    except FileNotFoundError:
        profiles = {}
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Failure(f"{path}: {error}", Exit.FILE) from None
    if name is None:
        name = "default"
    elif name not in profiles:
        raise Failure(f"{path} has no profile [{name}]", Exit.USAGE)
    profile = profiles.get(name, {})
    if not isinstance(profile, dict):
        raise Failure(f"{path}: {name} is no table; write [{name}]", Exit.FILE)
    for key, value in profile.items():
        if key not in _KEYS:
            raise Failure(f"{path}: [{name}] has the unknown key {key!r}; known are {', '.join(_KEYS)}", Exit.FILE)
        if not isinstance(value, _KEYS[key]) or (isinstance(value, bool) and _KEYS[key] is not bool):  # type: ignore[arg-type]
            raise Failure(f"{path}: [{name}] {key} has a value of another type", Exit.FILE)
    return Connection(**profile)
