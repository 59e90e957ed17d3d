"""Begins and ends the spans of requests. run_spans.py makes the spans below them."""

import importlib
import logging
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from planner.explain import Run
from server.tracing.run_spans import tell_run
from storage.meter import Meter

NAME = "headwater"
_API = "opentelemetry.trace"
_PROVIDER = "OTEL_PYTHON_TRACER_PROVIDER"
_FAULTS = {"UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"}
"""Statuses that are errors of a server, by OpenTelemetry's conventions for RPCs."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a span tells of a request that has ended."""

    collection: str
    status: str
    lane: str
    meter: Meter | None
    runs: Sequence[Run]


class Tracing:
    """Makes spans by `tracer`. `api` and `propagate` are the modules of OpenTelemetry's API."""

    def __init__(self, api: Any, propagate: Any, tracer: Any) -> None:
        self._api = api
        self._propagate = propagate
        self._tracer = tracer

    def begin(self, method: str, metadata: Iterable[tuple[str, str | bytes]], waited: float) -> Any:
        """The span of a request that arrived `waited` seconds ago; None: this request is not recorded.

        It belongs to the trace that the metadata name (W3C: `traceparent`), if they name one. Raises nothing.
        """
        try:
            span = self._begun(method, metadata, waited)
            return span if span.is_recording() else None
        except Exception:  # a request must not fail for its trace
            logger.exception("a span could not be begun")
            return None

    def _begun(self, method: str, metadata: Iterable[tuple[str, str | bytes]], waited: float) -> Any:
        carrier = {key: value for key, value in metadata if isinstance(value, str)}
        service, _, name = method.partition("/")
        about = {"rpc.system": "grpc", "rpc.service": service, "rpc.method": name, "db.system.name": NAME}
        return self._tracer.start_span(
            method,
            context=self._propagate.extract(carrier),
            kind=self._api.SpanKind.SERVER,
            attributes={**about, "headwater.waited_ms": round(waited * 1e3, 3)},
            start_time=time.time_ns() - round(waited * 1e9),
        )

    def end(self, span: Any, facts: Facts) -> None:
        """Ends the span of a request, with spans below it for what its queries did. Raises nothing."""
        try:
            for run in facts.runs:
                tell_run(run, span, self._tracer, self._api.set_span_in_context)
            span.set_attributes(dict(_attributes(facts)))
            if facts.status in _FAULTS:
                span.set_status(self._api.StatusCode.ERROR, facts.status)
            span.end()
        except Exception:
            logger.exception("a span could not be ended")


def _attributes(facts: Facts) -> Iterator[tuple[str, str | int]]:
    if facts.collection:
        yield "db.collection.name", facts.collection
    yield "rpc.response.status_code", facts.status
    yield "headwater.lane", facts.lane
    if facts.meter is not None and facts.meter.searches:
        yield "headwater.rows_scanned", facts.meter.rows_scanned
        yield "headwater.graph_steps", facts.meter.graph_steps


def tracing_of(provider: Any = None) -> Tracing | None:
    """Traces by `provider`, or by the one that the process has set up. None: there is none, or no API is installed."""
    if provider is None and not (_API in sys.modules or _PROVIDER in os.environ):
        return None  # whoever sets up an SDK has loaded the API, which takes a while
    try:
        api, propagate = importlib.import_module(_API), importlib.import_module("opentelemetry.propagate")
    except ImportError:
        return None
    provider = provider or api.get_tracer_provider()
    if isinstance(provider, api.ProxyTracerProvider | api.NoOpTracerProvider):
        return None
    return Tracing(api, propagate, provider.get_tracer(NAME))
