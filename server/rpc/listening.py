"""Where a server listens: on a port of an address, or on a Unix socket. With or without TLS."""

import socket
import stat
from pathlib import Path

import grpc

from server.certificates import Certificates, Pems
from server.config import Config, socket_path

_PROBE_SECONDS = 1.0


class CannotListen(Exception):
    """The reason why the server cannot listen, in one line."""


def listen(server: grpc.Server, config: Config, certificates: Certificates | None) -> str:
    """Lets the server listen where the settings say. Returns the address with the port that it has.

    A socket that a killed server left behind is replaced. Raises CannotListen.
    """
    path = socket_path(config.listen)
    if path is not None:
        _free(path)
    try:
        if certificates is None:
            port = server.add_insecure_port(config.listen)
        else:
            port = server.add_secure_port(config.listen, _credentials(certificates))
    except RuntimeError:
        if path is not None:
            reason = "the socket cannot be made there"
        else:
            reason = "the port is in use, or this machine does not have the address"
        raise CannotListen(f"cannot listen on {config.listen}: {reason}") from None
    if path is None:
        return f"{config.listen.rpartition(':')[0]}:{port}"
    path.chmod(0o600)
    return config.listen


def _credentials(certificates: Certificates) -> grpc.ServerCredentials:
    """Credentials that gRPC asks for again at each handshake."""
    told = certificates.current()

    def changed() -> grpc.ServerCertificateConfiguration | None:
        nonlocal told
        now = certificates.current()
        if now is told:
            return None
        told = now
        return _configuration(now)

    asks = certificates.asks_clients
    return grpc.dynamic_ssl_server_credentials(_configuration(told), changed, asks)  # type: ignore[arg-type]


def _configuration(pems: Pems) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration([(pems.key, pems.chain)], pems.client_ca)


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
