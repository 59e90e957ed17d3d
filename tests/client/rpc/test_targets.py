"""What people type as the address of a server: what it is taken for, and what is refused, naming the argument."""

from typing import Any

import grpc
import pytest

from headwater import AsyncClient, Client
from headwater._rpc.endpoint import Endpoint
from headwater._rpc.target import MAX_SOCKET_PATH_BYTES, target_of

PLAIN_OR_EITHER = {
    "localhost": "localhost:50051",
    "localhost:1": "localhost:1",
    "LocalHost:65535": "LocalHost:65535",
    "vectors.example.com:443": "vectors.example.com:443",
    "my_service:50051": "my_service:50051",
    "xn--bcher-kva.example": "xn--bcher-kva.example:50051",
    "bücher.example": "xn--bcher-kva.example:50051",
    "example.com.": "example.com.:50051",
    "10.0.0.7": "10.0.0.7:50051",
    "10.0.0.7:00080": "10.0.0.7:80",
    "::1": "[::1]:50051",
    "[::1]": "[::1]:50051",
    "[::1]:7": "[::1]:7",
    "2001:db8::7": "[2001:db8::7]:50051",
    "[fe80::1%eth0]:7": "[fe80::1%eth0]:7",
    "grpc://host:7": "host:7",
    "GRPC://host": "host:50051",
    "http://host:7/": "host:7",
    "http://[::1]:7": "[::1]:7",
    "unix:/run/headwater.sock": "unix:/run/headwater.sock",
    "unix:///run/headwater.sock": "unix:/run/headwater.sock",
    "unix:headwater.sock": "unix:headwater.sock",
    "dns:///host:7": "dns:///host:7",
    "ipv4:10.0.0.7:1,10.0.0.8:1": "ipv4:10.0.0.7:1,10.0.0.8:1",
    "dns:7": "dns:7",  # a host of that name
}
TLS = {"grpcs://host:7": "host:7", "https://host": "host:50051", "HTTPS://[::1]:7/": "[::1]:7"}
REFUSED = [
    "",
    " ",
    "host 1",
    " localhost",
    "localhost\n",
    "host:",
    "host:0",
    "host:99999",
    "host:65536",
    "host:-1",
    "host:+1",
    "host:http",
    "host:٣",
    ":50051",
    "http://",
    "http:///",
    "http://:7",
    "http://host:1/path?x",
    "http://host/path",
    "http://host//",
    "http://host?x",
    "http://host#x",
    "http://user@host",
    "host/path",
    "ftp://host",
    "://host",
    "http:/host",
    "http://http://host",
    "999.1.1.1",
    "1.2.3",
    "12345",
    "[::1",
    "[::1]7",
    "[host]:7",
    "::g",
    "a:b:c",
    "-host",
    "a..b",
    "." * 3,
    "a" * 64,
    "unix:",
    "unix://",
    "unix:///",
    "unix://host/path",
    "unix:/" + "a" * MAX_SOCKET_PATH_BYTES,
    "h\0st",
    "dns:",
    "dns://",
]


@pytest.mark.parametrize(("typed", "name"), [*PLAIN_OR_EITHER.items(), *TLS.items()])
def test_what_is_typed_is_understood(typed: str, name: str) -> None:
    endpoint = Endpoint(target=typed)
    assert endpoint.name == name
    assert endpoint.uses_tls == (typed in TLS)
    assert (endpoint.credentials is not None) == (typed in TLS)


@pytest.mark.parametrize("typed", REFUSED)
@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_what_is_no_address_is_refused_at_once(kind: Any, typed: str) -> None:
    with pytest.raises(ValueError, match=r"^target .*(host:port)"):
        kind(typed)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"target": 50051}, "target"),
        ({"target": b"localhost"}, "target"),
        ({"target": None}, "target"),
        ({"tls": "yes"}, "tls"),
        ({"api_key": 5}, "api_key"),
        ({"timeout": "5"}, "timeout"),
        ({"timeout": True}, "timeout"),
        ({"retries": 1.5}, "retries"),
        ({"retries": True}, "retries"),
    ],
)
def test_arguments_of_wrong_types_are_named(arguments: dict[str, Any], named: str) -> None:
    with pytest.raises(TypeError, match=f"^{named} is"):
        Client(**arguments)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"target": "grpcs://host", "tls": False}, "tls"),
        ({"target": "http://host", "tls": True}, "tls"),
        ({"target": "grpc://host", "tls": grpc.ssl_channel_credentials()}, "tls"),
        ({"api_key": "schlüssel"}, "api_key"),
        ({"api_key": "two\nlines"}, "api_key"),
        ({"timeout": 0}, "timeout"),
        ({"timeout": -1}, "timeout"),
        ({"timeout": float("nan")}, "timeout"),
        ({"retries": -1}, "retries"),
    ],
)
def test_arguments_that_cannot_be_are_named(arguments: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=f"^{named}"):
        Client(**arguments)


def test_credentials_and_schemes_of_tls_agree() -> None:
    own = grpc.ssl_channel_credentials()
    assert Endpoint(target="https://host", tls=own).credentials is own
    assert Endpoint(target="https://host", tls=True).uses_tls
    assert Endpoint(target="host", tls=True).uses_tls
    assert not Endpoint(target="http://host", tls=False).uses_tls


@pytest.mark.parametrize(
    ("typed", "local"),
    [
        ("localhost", True),
        ("db.LOCALHOST.", True),
        ("127.0.0.1:7", True),
        ("127.8.8.8", True),
        ("0.0.0.0", True),
        ("[::1]:7", True),
        ("[::ffff:127.0.0.1]:7", True),
        ("unix:/run/headwater.sock", True),
        ("http://127.0.0.1", True),
        ("10.0.0.7", False),
        ("host", False),
        ("localhost.example.com", False),
        ("2001:db8::7", False),
        ("dns:///host", False),
    ],
)
def test_proxies_are_not_used_for_this_machine(typed: str, local: bool) -> None:
    assert target_of(typed).is_local is local
    assert dict(Endpoint(target=typed).channel_options).get("grpc.enable_http_proxy", 1) == (0 if local else 1)
    forced = Endpoint(target=typed, options=[("grpc.enable_http_proxy", 1)])
    assert dict(forced.channel_options)["grpc.enable_http_proxy"] == 1
