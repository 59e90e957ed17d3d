"""A server process that is watched in every way at once: its metrics, its log, and its traces."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from headwater import Client, PointStruct, VectorParams
from tests.support.metrics import scrape
from tests.support.root import ROOT
from tests.support.server_process import READY, environment

TRACED_SERVER = """
import sys
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
from opentelemetry.trace import set_tracer_provider

exporter = ConsoleSpanExporter(out=open(sys.argv[1], "w"), formatter=lambda span: span.to_json(indent=None) + "\\n")
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
set_tracer_provider(provider)

from server.__main__ import main

sys.exit(main(sys.argv[2:]))
"""
"""What `opentelemetry-instrument` does for a server, with spans as lines of a file."""
HTTP = "headwater answers HTTP on "
SECRET = "sesame"


@contextmanager
def watched_server(folder: Path) -> Iterator[tuple[str, str]]:
    """The addresses of gRPC and HTTP of a server for which every request is slow. Its log is in `log`."""
    settings = ["--data", str(folder / "data"), "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"]
    logging = ["--slow-ms", "0.001", "--log-format", "json"]
    command = [sys.executable, "-c", TRACED_SERVER, str(folder / "spans"), *settings, *logging]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(2)]
        assert [line.startswith(start) for line, start in zip(lines, (HTTP, READY), strict=True)] == [True, True]
        yield lines[1].removeprefix(READY).strip(), lines[0].removeprefix(HTTP).strip()
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.communicate()


def objects(file: Path) -> list[dict[str, Any]]:
    """The lines of a file that are objects of JSON: gRPC logs other lines itself."""
    return [json.loads(line) for line in file.read_text().splitlines() if line.startswith("{")]


def test_one_query_is_seen_in_all_three(tmp_path: Path) -> None:
    with watched_server(tmp_path) as (grpc, http), Client(grpc) as client:
        client.collections.create("shoes", VectorParams(size=2))
        client.points.upsert("shoes", [PointStruct(id=1, vector=[1.0, 0.0], payload={"word": SECRET})])
        assert len(client.points.query("shoes", query=[0.7071, 0.7071], filter=f'word == "{SECRET}"')) == 1
        metrics = scrape(http)
    assert metrics("requests_total", method="headwater.v1.Points/Query", status="OK") == 1
    assert metrics("searches_total", strategy="matching rows") == 1
    [entry] = [entry for entry in objects(tmp_path / "log") if entry.get("method") == "headwater.v1.Points/Query"]
    assert entry["message"] == "slow request"
    assert entry["searches"] == {"matching rows": 1}
    assert "word = ?" in json.dumps(entry["plans"])
    spans = objects(tmp_path / "spans")
    [request] = [span for span in spans if span["name"] == "headwater.v1.Points/Query"]
    [search] = [span for span in spans if span["name"] == "search"]
    assert search["context"]["trace_id"] == request["context"]["trace_id"]
    assert search["attributes"]["headwater.filter"] == "word = ?"
    for text in ((tmp_path / "log").read_text(), (tmp_path / "spans").read_text()):
        assert SECRET not in text
        assert "0.7071" not in text
