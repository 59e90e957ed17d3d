"""Hosts in addresses: their names, and whether only this machine reaches them."""

import ipaddress
from urllib.parse import urlsplit


def host_name(host: str) -> str:
    """The name in a Host header or an address, without its port, in lower case."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server that listens on `host`."""
    name = host_name(host)
    try:
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
