"""After a restart, clean or by SIGKILL, derived indexes are there before anybody asks, and answer as before."""

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headwater import (
    Bm25,
    Client,
    Equal,
    Filter,
    PointStruct,
    SparseVector,
    SparseVectorParams,
    TextIndexParams,
    VectorParams,
)
from tests.support.server_process import doomed_server, log_of

COUNT = 1_500


def point(number: int) -> PointStruct:
    vector: dict[str, Any] = {
        "dense": [1.0, number / COUNT],
        "sparse": SparseVector([number % 7, 10 + number % 50], [1.0, 0.5]),
    }
    return PointStruct(number, vector, {"text": f"word{number % 40} common", "k": f"k{number % 9}", "n": number})


def load(client: Client) -> None:
    client.collections.create(
        "c",
        {"dense": VectorParams(2)},
        sparse_vectors={"sparse": SparseVectorParams()},
        text_indexes={"text": TextIndexParams()},
    )
    client.points.create_field_index("c", "k", "keyword")
    client.upload_points("c", map(point, range(COUNT)), batch_size=300)


def answers(client: Client) -> list[object]:
    queries: list[dict[str, object]] = [
        {"query": Bm25("word3 common")},
        {"query": SparseVector([3, 20], [1.0, 1.0]), "using": "sparse"},
        {"query": [1.0, 0.5], "using": "dense", "filter": Filter(must=(Equal("k", "k4"),))},
    ]
    found: list[object] = []
    for each in queries:
        hits = client.points.query("c", limit=20, **each)  # type: ignore[arg-type]
        found.append([(hit.id, hit.score) for hit in hits])
    return [*found, client.points.count("c", filter=Filter(must=(Equal("k", "k4"),)))]


def wait_until(is_so: Callable[[], bool]) -> None:
    ends = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < ends
        time.sleep(0.05)


def files(data: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in data.glob("collections/*/derived/*.derived")}


def is_open(process: "subprocess.Popen[str]") -> bool:
    mapped = Path(f"/proc/{process.pid}/maps").read_text()
    return "/collections/" in mapped and "data.mdb" in mapped


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_the_first_query_finds_its_index(tmp_path: Path, end: signal.Signals) -> None:
    data = tmp_path / "data"
    with doomed_server(data) as (process, address), Client(address, retries=0) as client:
        load(client)
        before = answers(client)
        wait_until(lambda: len(files(data)) == 3)
        client.points.upsert("c", [point(COUNT + 3), point(5)])
        client.points.delete("c", [13])
        before = answers(client)
        process.send_signal(end)
        process.wait(60)
    kept = files(data)
    with doomed_server(data) as (process, address), Client(address, retries=0) as client:
        wait_until(lambda: is_open(process))  # by itself
        assert answers(client) == before
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    log = log_of(data).read_text()
    assert "Traceback" not in log
    assert "cannot be used" not in log
    assert files(data).keys() == kept.keys()
    for path in data.glob("collections/*/derived/*.derived"):
        path.write_bytes(path.read_bytes()[:-100])
    with doomed_server(data) as (process, address), Client(address, retries=0) as client:
        assert answers(client) == before
        wait_until(lambda: len(files(data)) == 3)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert log_of(data).read_text().count("cannot be used") == 3
