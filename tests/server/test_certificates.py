"""TLS: certificates that change are used without a restart, and clients may need one, over gRPC and over HTTP."""

import ssl
import subprocess
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPSConnection
from pathlib import Path

import grpc
import pytest

from headwater.v1 import collections_pb2
from server import certificates
from server.app import CannotStart, serve
from server.certificates import BadCertificates, Certificates
from server.config import Config, InvalidConfig
from tests.support.serving import Service

LIST = collections_pb2.CollectionsListRequest()
PATH = "/headwater.v1.Collections/List"


def _signed(folder: Path, name: str, by: str | None = None) -> tuple[Path, Path]:
    """A certificate and its key, signed by itself or by another of the folder."""
    key, certificate = folder / f"{name}.key", folder / f"{name}.pem"
    command = ["openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-subj", f"/CN={name}", "-days", "2", "-keyout", str(key), "-out", str(certificate)]
    command += ["-addext", "subjectAltName=DNS:localhost"]
    if by is not None:
        command += ["-CA", str(folder / f"{by}.pem"), "-CAkey", str(folder / f"{by}.key")]
    subprocess.run(command, check=True, capture_output=True)
    return certificate, key


def _list_by_grpc(address: str, ca: Path, own: tuple[Path, Path] | None = None) -> object:
    chain, key = (None, None) if own is None else (own[0].read_bytes(), own[1].read_bytes())
    with grpc.secure_channel(address, grpc.ssl_channel_credentials(ca.read_bytes(), key, chain)) as channel:
        return Service(address, channel).collections.List(LIST, timeout=20, wait_for_ready=False)


def _list_by_http(address: str, ca: Path, own: tuple[Path, Path] | None = None) -> int:
    context = ssl.create_default_context(cafile=str(ca))
    if own is not None:
        context.load_cert_chain(*own)
    with closing(HTTPSConnection(address, timeout=20, context=context)) as connection:
        connection.request("POST", PATH, b"{}", {"content-type": "application/json"})
        return connection.getresponse().status


def test_changed_files_are_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(certificates, "LOOK_SECONDS", 0.0)
    chain, key = tmp_path / "server.pem", tmp_path / "server.key"
    old, new = _signed(tmp_path, "old"), _signed(tmp_path, "new")

    def use(pair: tuple[Path, Path]) -> None:
        for source, target in zip(pair, (chain, key), strict=True):
            target.write_bytes(source.read_bytes())

    use(old)
    config = Config(data=tmp_path / "data", listen="localhost:0", http="localhost:0", tls_cert=chain, tls_key=key)
    with serve(config) as addresses:
        assert addresses.http is not None
        asks: list[Callable[[Path], object]] = [
            lambda ca: _list_by_grpc(addresses.grpc, ca),
            lambda ca: _list_by_http(str(addresses.http), ca),
        ]
        for ask in asks:
            ask(old[0])
            with pytest.raises((grpc.RpcError, ssl.SSLError)):
                ask(new[0])
        use(new)
        for ask in asks:
            ask(new[0])
            with pytest.raises((grpc.RpcError, ssl.SSLError)):
                ask(old[0])
        key.write_bytes(old[1].read_bytes())  # of another certificate
        for ask in asks:
            ask(new[0])
        assert "the old certificates stay" in caplog.text


def test_clients_need_a_certificate(tmp_path: Path) -> None:
    ca, _ = _signed(tmp_path, "ca")
    own = _signed(tmp_path, "server")
    friend, stranger = _signed(tmp_path, "friend", by="ca"), _signed(tmp_path, "stranger")
    config = Config(
        data=tmp_path / "data",
        listen="localhost:0",
        http="localhost:0",
        tls_cert=own[0],
        tls_key=own[1],
        tls_client_ca=ca,
    )
    with serve(config) as addresses:
        assert addresses.http is not None
        _list_by_grpc(addresses.grpc, own[0], friend)
        assert _list_by_http(addresses.http, own[0], friend) == 200
        for client in (None, stranger):
            with pytest.raises(grpc.RpcError):
                _list_by_grpc(addresses.grpc, own[0], client)
            with pytest.raises(OSError):
                _list_by_http(addresses.http, own[0], client)


def test_files_that_cannot_be_used(tmp_path: Path) -> None:
    one, other = _signed(tmp_path, "one"), _signed(tmp_path, "other")
    with pytest.raises(BadCertificates, match="no matching pair"):
        Certificates(one[0], other[1])
    with pytest.raises(BadCertificates, match=r"cannot read .*missing"):
        Certificates(tmp_path / "missing", one[1])
    with pytest.raises(BadCertificates, match="no certificates"):
        Certificates(*one, one[1])
    with pytest.raises(InvalidConfig, match="tls_client_ca"):
        Config(data=tmp_path, tls_client_ca=one[0])
    settings = Config(data=tmp_path / "data", tls_cert=one[0], tls_key=other[1])
    with pytest.raises(CannotStart, match="no matching pair"), serve(settings):
        pass
    assert not (tmp_path / "data").exists()
