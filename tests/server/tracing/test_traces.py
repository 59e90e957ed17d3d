"""The spans of a real server, by the SDK of OpenTelemetry, which keeps them in memory."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import grpc
import numpy as np
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased
from opentelemetry.trace import SpanKind

from headwater import Client, PointStruct, VectorParams, errors
from headwater.v1 import points_pb2
from server.app import serve
from server.config import Config
from server.tracing import tracing_of
from tests.support.connect import ask
from tests.support.root import ROOT

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"
VECTORS = np.random.default_rng(1).standard_normal((60, 4)).astype(np.float32)
SECRET = "sesame"


@dataclass(frozen=True)
class Traced:
    """A server whose spans are kept in `exporter`."""

    client: Client
    http: str
    exporter: InMemorySpanExporter

    def spans(self) -> list[ReadableSpan]:
        """The spans since the last call, by their begin."""
        spans = sorted(self.exporter.get_finished_spans(), key=lambda span: span.start_time or 0)
        self.exporter.clear()
        return spans


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traced]:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    config = Config(data=tmp_path_factory.mktemp("traced") / "data", listen="127.0.0.1:0", http="127.0.0.1:0")
    with serve(config, provider) as addresses, Client(addresses.grpc) as client:
        client.collections.create("shoes", {"": VectorParams(size=4), "other": VectorParams(size=4)})
        points = [
            PointStruct(id=row, vector={"": vector, "other": vector}, payload={"word": SECRET if row % 2 else "no"})
            for row, vector in enumerate(VECTORS)
        ]
        client.points.upsert("shoes", points)
        assert addresses.http is not None
        yield Traced(client, addresses.http, exporter)
    provider.shutdown()


@pytest.fixture
def traced(served: Traced) -> Traced:
    served.exporter.clear()
    return served


def attributes(span: ReadableSpan) -> dict[str, object]:
    return dict(span.attributes or {})


def parent_of(span: ReadableSpan, spans: list[ReadableSpan]) -> ReadableSpan:
    """The span above `span`, which lasts at least as long."""
    assert span.parent is not None
    [parent] = [each for each in spans if each.context.span_id == span.parent.span_id]
    assert (parent.start_time or 0) <= (span.start_time or 0) <= (span.end_time or 0) <= (parent.end_time or 0)
    return parent


def test_a_request_with_two_searches_and_a_fusion(traced: Traced) -> None:
    hits = traced.client.points.query(
        "shoes",
        prefetch=[
            {"query": VECTORS[0], "filter": f'word == "{SECRET}"', "limit": 9},
            {"query": VECTORS[1], "using": "other", "limit": 7},
        ],
        query={"fusion": "rrf"},
        limit=3,
    )
    assert len(hits) == 3
    spans = traced.spans()
    [request] = [span for span in spans if span.kind is SpanKind.SERVER]
    assert request.name == "headwater.v1.Points/Query"
    about = attributes(request)
    assert about["db.collection.name"] == "shoes"
    assert about["rpc.response.status_code"] == "OK"
    assert about["headwater.lane"] in ("cheap", "dear")
    assert about["headwater.rows_scanned"] == 30 + 60
    [plan] = [span for span in spans if span.name == "plan"]
    assert parent_of(plan, spans) is request
    searches = [span for span in spans if span.name == "search"]
    stages = {attributes(span)["headwater.stage"]: attributes(span) for span in searches}
    assert stages.keys() == {"root.prefetch[0]", "root.prefetch[1]"}
    first, second = stages.values()
    assert (first["headwater.filter"], first["headwater.rows_in"], first["headwater.rows_out"]) == ("word = ?", 30, 9)
    assert (second["headwater.using"], second["headwater.strategy"], second["headwater.limit"]) == (
        "other",
        "exact",
        "7",
    )
    [fusion] = [span for span in spans if span.name == "rrf"]
    assert all(parent_of(span, spans) is fusion for span in searches)
    assert all(SECRET not in str(attributes(span)) for span in spans)
    for span in spans:
        if span is not request:
            parent_of(span, spans)


@pytest.mark.parametrize("door", ["grpc", "http"])
def test_a_request_belongs_to_the_trace_of_its_caller(traced: Traced, door: str) -> None:
    if door == "grpc":
        request = points_pb2.PointsCountRequest(collection_name="shoes").SerializeToString()
        with grpc.insecure_channel(traced.client.target) as channel:
            count = channel.unary_unary("/headwater.v1.Points/Count", None, None)
            count(request, metadata=(("traceparent", TRACEPARENT),))
    else:
        body = b'{"collectionName": "shoes"}'
        ask(traced.http, "/headwater.v1.Points/Count", body, headers={"traceparent": TRACEPARENT})
    [span] = traced.spans()
    assert span.parent is not None
    assert (span.context.trace_id, span.parent.span_id) == (int(TRACE, 16), int(PARENT, 16))


@pytest.mark.parametrize("bad", ["", "00-0-0-01", "x" * 5_000, "ff-" + TRACEPARENT[3:]])
def test_a_bad_context_starts_a_trace(traced: Traced, bad: str) -> None:
    ask(traced.http, "/headwater.v1.Points/Count", b'{"collectionName": "shoes"}', headers={"traceparent": bad})
    [span] = traced.spans()
    assert span.parent is None


def test_known_requests_and_batches_have_spans_too(traced: Traced) -> None:
    """What runs without an executor otherwise is traced, with the same answers."""
    for _ in range(3):
        traced.client.points.query("shoes", query=VECTORS[0], limit=2)
    assert [span.name for span in traced.spans()].count("search") == 3
    found = traced.client.points.search_batch("shoes", searches=[{"vector": row, "limit": 2} for row in VECTORS[:20]])
    assert [hits[0].id for hits in found] == list(range(20))
    spans = traced.spans()
    numbers = {attributes(span).get("headwater.query") for span in spans if span.name == "search"}
    assert numbers == set(range(8))  # of a batch, the first have spans
    [plan] = [span for span in spans if span.name == "plan"]
    assert attributes(plan)["headwater.queries"] == 20


def test_failures_are_told(traced: Traced) -> None:
    with pytest.raises(errors.CollectionNotFoundError):
        traced.client.points.query("nowhere", query=VECTORS[0])
    [span] = traced.spans()
    assert attributes(span)["rpc.response.status_code"] == "NOT_FOUND"
    assert span.status.is_unset  # by convention a caller's mistake is no error of the server


def test_streams_have_a_span(traced: Traced) -> None:
    traced.client.vde.sample_vectors("shoes", 10)
    assert [span.name for span in traced.spans()] == ["headwater.v1.VDE/SampleVectors"]


def test_requests_that_are_not_sampled_have_no_span() -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider(sampler=ParentBased(ALWAYS_OFF))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracing = tracing_of(provider)
    assert tracing is not None
    assert tracing.begin("a/b", (), 0.0) is None
    sampled = tracing.begin("a/b", (("traceparent", TRACEPARENT),), 0.0)
    assert sampled is not None
    assert tracing.begin("a/b", (("traceparent", TRACEPARENT[:-1] + "0"),), 0.0) is None


def test_nothing_is_traced_or_loaded_without_an_sdk() -> None:
    program = """
import sys
from server.tracing import tracing_of
assert tracing_of() is None
assert not any(name.startswith("opentelemetry") for name in sys.modules)
import opentelemetry.trace
assert tracing_of() is None
"""
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT, env={"PYTHONPATH": "client:."})


def test_nothing_is_traced_without_the_api() -> None:
    program = """
import os, sys
sys.modules["opentelemetry"] = None
os.environ["OTEL_PYTHON_TRACER_PROVIDER"] = "sdk_tracer_provider"
from server.tracing import tracing_of
assert tracing_of() is None
"""
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT, env={"PYTHONPATH": "client:."})
