"""The command `headwater` in this process, and a server that it talks to."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from headwater import Client, VectorParams
from headwater._cli import main
from headwater.models import PointLike
from tests.support.serving import Service, serving


@dataclass(frozen=True)
class Said:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str


Headwater = Callable[..., Said]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with serving(tmp_path_factory.mktemp("cli") / "data") as running:
        yield running


@pytest.fixture
def headwater(
    server: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Headwater:
    """Runs the command with arguments, against the server unless told otherwise."""
    for name, folder in (("XDG_CONFIG_HOME", "config"), ("XDG_CACHE_HOME", "cache")):
        monkeypatch.setenv(name, str(tmp_path / folder))
    monkeypatch.setenv("HEADWATER_ADDRESS", server.address)

    def run(*arguments: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["headwater", *map(str, arguments)])
        capsys.readouterr()
        code = main()
        said = capsys.readouterr()
        return Said(int(code), said.out, said.err)

    return run


@pytest.fixture
def shop(server: Service) -> Iterator[str]:
    """A collection of three points with prices."""
    with Client(server.address) as client:
        client.collections.create("shop", VectorParams(size=2), text_indexes={"title": {}})
        points: list[PointLike] = [
            {"id": 1, "vector": [1, 0], "payload": {"title": "red shoe", "price": 9.5}},
            {"id": 2**64 - 1, "vector": [0, 1], "payload": {"title": "blue shoe", "price": 20}},
            {"id": "schön ☃", "vector": [1, 1], "payload": {}},
        ]
        client.points.upsert("shop", points)
        yield "shop"
        client.collections.delete("shop", strict=False)
