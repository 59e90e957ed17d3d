"""Clients in other languages: the protos compile for each that protoc itself can write, without a warning."""

import subprocess
import sysconfig
from pathlib import Path

import pytest

from tests.protos.contract import PROTOS, protoc, sources

# The protoc inside grpcio-tools writes Python only; the whole one comes with the development requirements.
FULL_PROTOC = Path(sysconfig.get_path("scripts")) / "protoc"
LANGUAGES = ("cpp", "java", "csharp", "php", "ruby", "objc", "python")


def test_the_protos_compile_with_grpcio_tools(tmp_path: Path) -> None:
    done = protoc([f"--python_out={tmp_path}", f"--pyi_out={tmp_path}", f"--grpc_python_out={tmp_path}"])
    check(done, tmp_path)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_protos_compile(language: str, tmp_path: Path) -> None:
    check(compile_for(language, tmp_path, root=PROTOS), tmp_path)


def test_a_warning_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "used.proto").write_text('syntax = "proto3";\n')
    (tmp_path / "user.proto").write_text('syntax = "proto3";\nimport "used.proto";\n')
    assert "unused" in compile_for("cpp", tmp_path, root=tmp_path).stderr


def compile_for(language: str, output: Path, *, root: Path) -> subprocess.CompletedProcess[str]:
    command = [str(FULL_PROTOC), f"-I{root}", f"--{language}_out={output}", *sources(root)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def check(done: subprocess.CompletedProcess[str], output: Path) -> None:
    """It succeeded without a word and wrote at least a file per source."""
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert sum(path.is_file() for path in output.rglob("*")) >= len(sources())
