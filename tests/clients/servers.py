"""The servers that clients of all languages are tested against, and the variables that tell where they are."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import grpc

from tests.clients.cases import FOLDER
from tests.support.server_process import running_server, running_servers

API_KEY = "a-key-for-tests"


@contextmanager
def client_servers(folder: Path) -> Iterator[dict[str, str]]:
    """Three servers over new folders below `folder`: a plain one, one with an api-key, and one with TLS.

    Gives the environment variables that tests of clients read; see client/conformance/README.md.
    """
    certificate, key = certificate_of(folder)
    tls = ["--tls-cert", str(certificate), "--tls-key", str(key)]
    with ExitStack() as servers:
        plain, http = servers.enter_context(running_servers(folder / "plain"))
        keyed = servers.enter_context(running_server(folder / "keyed", options=["--api-key", API_KEY]))
        secured = servers.enter_context(running_server(folder / "tls", listen="localhost:0", options=tls))
        yield {
            "HEADWATER_TARGET": plain,
            "HEADWATER_HTTP": f"http://{http}",
            "HEADWATER_KEYED_TARGET": keyed,
            "HEADWATER_API_KEY": API_KEY,
            "HEADWATER_TLS_TARGET": secured,
            "HEADWATER_TLS_CA": str(certificate),
            "HEADWATER_CONFORMANCE": str(FOLDER),
        }


@contextmanager
def channel_to(server: str, environment: dict[str, str]) -> Iterator[grpc.Channel]:
    """A channel to the server that a case is for."""
    if server == "tls":
        ca = Path(environment["HEADWATER_TLS_CA"]).read_bytes()
        with grpc.secure_channel(environment["HEADWATER_TLS_TARGET"], grpc.ssl_channel_credentials(ca)) as channel:
            yield channel
    else:
        name = "HEADWATER_KEYED_TARGET" if server == "keyed" else "HEADWATER_TARGET"
        with grpc.insecure_channel(environment[name]) as channel:
            yield channel


def certificate_of(folder: Path) -> tuple[Path, Path]:
    """A certificate for localhost, signed by itself, and its key, made by openssl."""
    certificate, key = folder / "server.pem", folder / "server.key"
    command = [str(shutil.which("openssl")), "req", "-x509", "-nodes", "-newkey", "ec", "-days", "2"]
    command += ["-pkeyopt", "ec_paramgen_curve:P-256", "-subj", "/CN=localhost", "-keyout", str(key)]
    command += ["-out", str(certificate), "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    subprocess.run(command, check=True, capture_output=True)
    return certificate, key
