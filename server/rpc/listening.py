"""Where a server listens: on a port of an address, or on a Unix socket. With or without TLS."""

import socket
import stat
from pathlib import Path

import grpc

from server.config import Config, socket_path

_PROBE_SECONDS = 1.0


class CannotListen(Exception):
    """The reason why the server cannot listen, in one line."""


def listen(server: grpc.Server, config: Config) -> str:
    """Lets the server listen where the settings say. Returns the address with the port that it has.

    A socket that a killed server left behind is replaced. Raises CannotListen.
    """
    path = socket_path(config.listen)
    if path is not None:
        _free(path)
    try:
        if config.tls_cert is not None and config.tls_key is not None:
            pair = (_read(config.tls_key), _read(config.tls_cert))
            port = server.add_secure_port(config.listen, grpc.ssl_server_credentials([pair]))
        else:
            port = server.add_insecure_port(config.listen)
    except RuntimeError:
        if path is not None:
            reason = "the socket cannot be made there"
        else:
            reason = "the port is in use, or this machine does not have the address"
        if config.tls_cert is not None:
            reason += ", or the certificate and the key are not a matching pair in PEM form"
        raise CannotListen(f"cannot listen on {config.listen}: {reason}") from None
    if path is None:
        return f"{config.listen.rpartition(':')[0]}:{port}"
    path.chmod(0o600)
    return config.listen


def _free(path: Path) -> None:
    """Removes a socket on which nobody listens. Raises CannotListen if somebody does, or if it is no socket."""
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise CannotListen(f"cannot listen on {path}: there is a file that is no socket")
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(_PROBE_SECONDS)
            probe.connect(str(path))
    except FileNotFoundError:
        return
    except ConnectionRefusedError:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise CannotListen(f"cannot listen on {path}: {error.strerror or error}") from None
    else:
        raise CannotListen(f"cannot listen on {path}: another process listens there")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CannotListen(f"cannot read {path}: {error.strerror}") from None
