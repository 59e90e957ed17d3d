"""The command `headwater-server health ADDRESS`: asks a server by gRPC's health protocol, for probes of containers.

Needs nothing of the server but its address, and no api-key.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from server.config import InvalidConfig, socket_path, split_address

SECONDS = 5.0
HEALTHY, UNHEALTHY = 0, 1


def main(arguments: Sequence[str]) -> int:
    """The exit code: 0 if the server answers SERVING, 1 if it does not, 2 if the arguments are wrong. Prints why."""
    options = _parser().parse_args(arguments)
    try:
        status = _ask(options)
    except (grpc.RpcError, OSError, ValueError) as error:
        print(f"headwater: {options.address}: {_reason(error)}", file=sys.stderr)
        return UNHEALTHY
    print(status)
    return HEALTHY if status == "SERVING" else UNHEALTHY


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="headwater-server health",
        description="Ask a server whether it serves. The exit code is 0 if it does, 1 if not, 2 for wrong arguments.",
    )
    parser.add_argument("address", type=_address, metavar="ADDRESS", help="HOST:PORT or unix:PATH of the server")
    parser.add_argument(
        "--service", default="", metavar="NAME", help="such as headwater.v1.Points; by default the whole server"
    )
    parser.add_argument("--timeout", type=_seconds, default=SECONDS, metavar="SECONDS", help="default %(default)s")
    parser.add_argument("--tls-ca", type=Path, metavar="FILE", help="ask by TLS, and trust these certificates, PEM")
    parser.add_argument("--tls-name", metavar="NAME", help="name in the server's certificate, if it is not that asked")
    parser.add_argument("--tls-cert", type=Path, metavar="FILE", help="certificate of this client, PEM")
    parser.add_argument("--tls-key", type=Path, metavar="FILE", help="private key of that certificate, PEM")
    return parser


def _address(text: str) -> str:
    """The address as it is. gRPC takes what has no port, or one that is too large, for another address."""
    try:
        if socket_path(text) is None:
            split_address(text)
    except InvalidConfig as error:
        raise argparse.ArgumentTypeError(str(error).removeprefix("listen: ")) from None
    return text


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < 1e6:
        raise ValueError(text)
    return seconds


def _ask(options: argparse.Namespace) -> str:
    """The name of the status that the server answers. Raises RpcError, OSError and ValueError."""
    with _channel(options) as channel:
        request = health_pb2.HealthCheckRequest(service=options.service)
        reply = health_pb2_grpc.HealthStub(channel).Check(request, timeout=options.timeout)
        return str(health_pb2.HealthCheckResponse.ServingStatus.Name(reply.status))


def _channel(options: argparse.Namespace) -> grpc.Channel:
    settings = [("grpc.enable_http_proxy", 0)]  # what is asked is near
    if options.tls_ca is None:
        if options.tls_name or options.tls_cert or options.tls_key:
            raise ValueError("--tls-name, --tls-cert and --tls-key need --tls-ca")
        return grpc.insecure_channel(options.address, settings)
    if (options.tls_cert is None) != (options.tls_key is None):
        raise ValueError("--tls-cert and --tls-key go together")
    credentials = grpc.ssl_channel_credentials(
        options.tls_ca.read_bytes(),
        None if options.tls_key is None else options.tls_key.read_bytes(),
        None if options.tls_cert is None else options.tls_cert.read_bytes(),
    )
    if options.tls_name:
        settings = [*settings, ("grpc.ssl_target_name_override", options.tls_name)]
    return grpc.secure_channel(options.address, credentials, settings)


def _reason(error: Exception) -> str:
    if isinstance(error, grpc.Call):
        return f"{error.code().name}: {error.details()}"
    return str(error)
