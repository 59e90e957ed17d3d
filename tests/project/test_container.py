"""The image is built by buildah and started: its user, its health check, its data, and how it stops.

There may be no registry to take a base image from. So the base is a small Debian, made by mmdebstrap.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.root import ROOT
from tests.support.server_process import wait_until_ready

MISSING = [tool for tool in ("buildah", "mmdebstrap") if shutil.which(tool) is None]
PACKAGES = "python3,python3-venv,ca-certificates,apt"
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
ROOT_USER = 0
SECONDS = 900.0

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(bool(MISSING), reason=f"{' and '.join(MISSING)} are not installed"),
    pytest.mark.skipif(os.getuid() != ROOT_USER, reason="only root can make a base image"),
    pytest.mark.skipif(sys.platform != "linux", reason="images are of Linux"),
]


class Buildah:
    """Buildah with a store of its own, which also works inside of a container."""

    def __init__(self, folder: Path) -> None:
        self._command = ["buildah", "--root", str(folder / "store"), "--runroot", str(folder / "run")]
        self._environment = {**os.environ, "BUILDAH_ISOLATION": "chroot", "STORAGE_DRIVER": "vfs"}

    def __call__(self, *arguments: str | Path, code: int = 0) -> str:
        done = subprocess.run(
            [*self._command, *map(str, arguments)],
            env=self._environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout.strip()

    def start(self, arguments: Sequence[str], log: Path) -> "subprocess.Popen[str]":
        with log.open("wb") as errors:
            return subprocess.Popen(
                [*self._command, *arguments], env=self._environment, stdout=subprocess.PIPE, stderr=errors, text=True
            )

    @contextmanager
    def container(self, image: str) -> Iterator[str]:
        name = self("from", image)
        try:
            yield name
        finally:
            self("rm", name)


@pytest.fixture(scope="module")
def buildah(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Buildah]:
    folder = tmp_path_factory.mktemp("images")
    yield Buildah(folder)
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def image(buildah: Buildah, tmp_path_factory: pytest.TempPathFactory) -> str:
    base = make_base(buildah, tmp_path_factory.mktemp("base") / "base.tar")
    buildah("bud", "--format", "docker", "-f", "package/Containerfile", "--build-arg", f"BASE={base}", "-t", "hw", ".")
    return "localhost/hw"


def make_base(buildah: Buildah, archive: Path) -> str:
    sources = sorted(Path("/etc/apt").glob("sources.list.d/*.sources")) or [Path("/etc/apt/sources.list")]
    command = ["mmdebstrap", "--quiet", "--variant=essential", f"--include={PACKAGES}", "bookworm"]
    done = subprocess.run([*command, archive, sources[0]], capture_output=True, text=True, timeout=SECONDS, check=False)
    if done.returncode != 0:
        pytest.skip(f"mmdebstrap cannot make a base image here: {done.stderr[-300:]}")
    with buildah.container("scratch") as base:
        buildah("add", "-q", base, archive, "/")
        if AUTHORITIES.exists():  # packages may come through a proxy that only this machine trusts
            buildah("copy", "-q", base, AUTHORITIES, AUTHORITIES)
        buildah("commit", "-q", base, "localhost/base")
    archive.unlink()
    return "localhost/base"


def test_the_image_serves_as_a_user_without_rights_and_stops_cleanly(
    buildah: Buildah, image: str, tmp_path: Path
) -> None:
    config: dict[str, Any] = json.loads(buildah("inspect", "--type", "image", image))["Docker"]["config"]
    assert config["User"] == "65532:65532"
    assert config["Entrypoint"] == ["headwater-server"]
    assert set(config["ExposedPorts"]) == {"50051/tcp", "50052/tcp"}
    assert set(config["Volumes"]) == {"/data"}
    assert f"HEADWATER_LISTEN=0.0.0.0:{port_of(config)}" in config["Env"]
    with buildah.container(image) as container:
        assert buildah("run", container, "--", "id", "-u") == "65532"
        log = tmp_path / "log"
        process = buildah.start(
            ["run", *settings(), container, "--", "sh", "-c", "echo $$; exec headwater-server"], log
        )
        assert process.stdout is not None
        try:
            server = int(process.stdout.readline())
            address = wait_until_ready(process, log)
            assert buildah("run", container, "--", *check(config, address)) == "SERVING"
            assert buildah("run", container, "--", "headwater", "--address", address, "--api-key", "k", "collections")
            os.kill(server, signal.SIGTERM)
            assert process.wait(60) == 0, log.read_text()
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
        assert "native kernels" in log.read_text()
        buildah("run", container, "--", *check(config, address), code=1)


def settings() -> list[str]:
    """The network is that of this machine, so ports must be free ones."""
    values = {"LISTEN": "127.0.0.1:0", "HTTP": "127.0.0.1:0", "API_KEY": "k"}
    return [part for name, value in values.items() for part in ("--env", f"HEADWATER_{name}={value}")]


def check(config: dict[str, Any], address: str) -> list[str]:
    """The health check of the image, for another port."""
    kind, *command = config["Healthcheck"]["Test"]
    assert kind == "CMD"
    return [address if part == f"localhost:{port_of(config)}" else part for part in command]


def port_of(config: dict[str, Any]) -> str:
    return str(config["Healthcheck"]["Test"][-1]).rpartition(":")[2]
