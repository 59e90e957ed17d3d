"""The address of a server as people write it: host and port, with or without a scheme, or a socket. Opens nothing."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

DEFAULT_PORT = 50051
MAX_SOCKET_PATH_BYTES = 107
"""The system's limit, without the zero byte that it adds."""

_PLAIN = frozenset({"grpc", "http"})
_TLS = frozenset({"grpcs", "https"})
_NAMES_OF_GRPC = frozenset({"dns", "ipv4", "ipv6", "unix-abstract", "vsock", "xds"})
"""Schemes that gRPC itself knows. The rest of such a target is not checked here."""
_FORMS = "host, host:port, [ipv6]:port, grpc://host:port, grpcs://host:port (TLS), or unix:/path"
_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")


@dataclass(frozen=True, slots=True)
class Target:
    """A server address. `typed`: as the user wrote it; `name`: for gRPC. `tls` None: the address does not say."""

    typed: str
    name: str
    tls: bool | None
    is_local: bool

    def unreachable(self, details: str, *, tls: bool) -> str:
        """The message for a user whose server cannot be reached. `details` come from gRPC."""
        security = "with TLS" if tls else "without TLS"
        return (
            f"no Headwater server answers at {self.typed}: {details.rstrip('.')}. "
            f"Is one running there, {security}? `make serve` starts one."
        )


def target_of(typed: str) -> Target:
    """Parses the address. Raises TypeError, and ValueError that says what is wrong."""
    if not isinstance(typed, str):
        raise TypeError(f"target is a string such as 'localhost:{DEFAULT_PORT}', not {type(typed).__name__}")
    if not typed or any(letter.isspace() or not letter.isprintable() for letter in typed):
        raise _refused(typed, "it is empty" if not typed.strip() else "it has white space or control characters")
    scheme, colon, rest = typed.partition(":")
    scheme = scheme.lower()
    if colon and scheme == "unix":
        return Target(typed, "unix:" + _socket_path(typed, rest), None, True)
    if rest.startswith("//"):
        return _with_scheme(typed, scheme, rest[2:])
    if colon and scheme in _NAMES_OF_GRPC and rest and not rest.isdecimal():
        return Target(typed, f"{scheme}:{rest}", None, scheme == "unix-abstract")
    return _network(typed, typed, None)


def _with_scheme(typed: str, scheme: str, rest: str) -> Target:
    if scheme in _NAMES_OF_GRPC and rest.strip("/"):
        return Target(typed, f"{scheme}://{rest}", None, False)
    if scheme not in _PLAIN | _TLS:
        raise _refused(typed, f"it has the unknown scheme {scheme!r}")
    return _network(typed, rest.removesuffix("/"), scheme in _TLS)


def _network(typed: str, authority: str, tls: bool | None) -> Target:
    for sign, what in (("/", "a path"), ("?", "a query"), ("#", "a fragment"), ("@", "a user")):
        if sign in authority:
            raise _refused(typed, f"it has {what}, and gRPC servers have none")
    host, port = _split(typed, authority)
    if not host:
        raise _refused(typed, "it has no host")
    if port is not None and not (port.isascii() and port.isdigit() and len(port) <= 5 and 1 <= int(port) <= 65535):
        raise _refused(typed, f"its port is {port!r}, not a number from 1 to 65535")
    address = _address(typed, host)
    name = _host_name(typed, host) if address is None else f"[{host}]" if address.version == 6 else host
    is_local = _is_local_name(host) if address is None else _is_local_address(address)
    return Target(typed, f"{name}:{int(port) if port else DEFAULT_PORT}", tls, is_local)


def _split(typed: str, authority: str) -> tuple[str, str | None]:
    """Host and port; the host of an IPv6 address is without brackets."""
    if authority.startswith("["):
        host, bracket, rest = authority[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise _refused(typed, "its brackets do not match")
        if ":" not in host:
            raise _refused(typed, "its brackets do not hold an IPv6 address")
        return host, rest[1:] if rest else None
    if authority.count(":") > 1:
        return authority, None
    host, colon, port = authority.partition(":")
    return host, port if colon else None


def _address(typed: str, host: str) -> IPv4Address | IPv6Address | None:
    """The IP address; None when the host is a name."""
    try:
        return ip_address(host)
    except ValueError:
        if ":" in host:
            raise _refused(typed, f"{host!r} is not an IPv6 address") from None
        if host.replace(".", "").isdecimal():
            raise _refused(typed, f"{host!r} is not an IPv4 address") from None
        return None


def _host_name(typed: str, host: str) -> str:
    """The name in ASCII, as DNS uses it."""
    try:
        name = host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        raise _refused(typed, f"{host!r} is no host name") from None
    if len(name) > 253 or not all(map(_LABEL.fullmatch, name.removesuffix(".").split("."))):
        raise _refused(typed, f"{host!r} is no host name")
    return name


def _is_local_name(host: str) -> bool:
    name = host.lower().removesuffix(".")
    return name == "localhost" or name.endswith(".localhost")


def _is_local_address(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.is_loopback or address.is_unspecified


def _socket_path(typed: str, rest: str) -> str:
    path = rest
    if rest.startswith("//"):
        if not rest.startswith("///"):
            raise _refused(typed, "a socket is unix:/path or unix:///path")
        path = rest[2:]
    if not path.strip("/"):
        raise _refused(typed, "it names no socket")
    if len(path.encode()) > MAX_SOCKET_PATH_BYTES:
        raise _refused(typed, f"the path of a socket may have at most {MAX_SOCKET_PATH_BYTES} bytes")
    return path


def _refused(typed: str, why: str) -> ValueError:
    return ValueError(f"target {typed!r} is not an address of a server: {why}; the forms are {_FORMS}")
