"""The command `headwater-server health`: what it prints, and how it exits, for servers that serve and others."""

import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from headwater_server.health import main

from tests.support.root import ROOT
from tests.support.serving import serving

Capture = pytest.CaptureFixture[str]


def test_a_server_that_serves_needs_no_key(tmp_path: Path, capsys: Capture) -> None:
    with serving(tmp_path / "data", api_key="secret") as service:
        assert main([service.address]) == 0
        assert main([service.address, "--service", "headwater.v1.Points"]) == 0
        assert capsys.readouterr().out == "SERVING\nSERVING\n"
        assert main([service.address, "--service", "headwater.v1.Nothing"]) == 1
        assert "NOT_FOUND" in capsys.readouterr().err


def test_a_socket_and_the_command_itself(tmp_path: Path) -> None:
    with serving(tmp_path / "data", listen=f"unix:{tmp_path}/s"):
        done = subprocess.run(
            [sys.executable, "-m", "headwater_server", "health", f"unix:{tmp_path}/s"],
            env={"PYTHONPATH": f"{ROOT / 'package'}:{ROOT / 'client'}", "http_proxy": "http://127.0.0.1:9"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert (done.returncode, done.stdout, done.stderr) == (0, "SERVING\n", "")


def test_nobody_listens(tmp_path: Path, capsys: Capture) -> None:
    assert main([f"unix:{tmp_path}/none"]) == 1
    assert f"headwater: unix:{tmp_path}/none: UNAVAILABLE: " in capsys.readouterr().err


def test_one_that_does_not_answer(capsys: Capture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert main([f"127.0.0.1:{silent.getsockname()[1]}", "--timeout", "0.2"]) == 1
    assert "DEADLINE_EXCEEDED" in capsys.readouterr().err


def test_one_that_is_no_server_of_grpc(tmp_path: Path, capsys: Capture) -> None:
    with serving(tmp_path / "data", http="127.0.0.1:0") as service:
        assert service.http is not None
        assert main([service.http, "--timeout", "20"]) == 1
    assert capsys.readouterr().err.startswith(f"headwater: {service.http}: ")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_tls(tmp_path: Path, capsys: Capture) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = ["openssl", "req", "-x509", "-nodes", "-newkey", "rsa:2048", "-subj", "/CN=a", "-days", "2"]
    names = ["-addext", "subjectAltName=DNS:vectors.example.org", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command, *names], check=True, capture_output=True)
    with serving(tmp_path / "data", listen="localhost:0", tls_cert=certificate, tls_key=key) as service:
        trusted = [service.address, "--timeout", "20", "--tls-ca", str(certificate)]
        assert main([*trusted, "--tls-name", "vectors.example.org"]) == 0
        assert main(trusted) == 1, "the certificate has another name"
        assert main([service.address, "--timeout", "20"]) == 1, "it was asked without TLS"
        assert main([*trusted, "--tls-key", str(key)]) == 1
        assert "--tls-cert and --tls-key go together" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["localhost:1", "--timeout", "0"],
        ["localhost:1", "--timeout", "nan"],
        ["localhost:1", "more"],
        [""],
        ["localhost"],
        ["localhost:99999"],
        ["http://localhost:1/"],
        ["unix:"],
    ],
)
def test_wrong_arguments(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2


def test_a_port_that_cannot_be_is_not_another_one(tmp_path: Path, capsys: Capture) -> None:
    """gRPC takes the rest of 65,536."""
    with serving(tmp_path / "data") as service, pytest.raises(SystemExit):
        main([f"127.0.0.1:{int(service.address.rpartition(':')[2]) + 2**16}"])
    assert "is not HOST:PORT" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--tls-name", "--tls-cert", "--tls-key"])
def test_what_needs_trusted_certificates(option: str, capsys: Capture) -> None:
    assert main(["localhost:1", option, "a"]) == 1
    assert "need --tls-ca" in capsys.readouterr().err


def test_a_file_that_is_not_there(tmp_path: Path, capsys: Capture) -> None:
    assert main(["localhost:1", "--tls-ca", str(tmp_path / "none.pem")]) == 1
    assert "none.pem" in capsys.readouterr().err
