"""Traces for OpenTelemetry: a span for each request, and below it spans for its plans and their operators.

Only the package of the API is used, and only if it is installed and a program has set up the SDK; else there are no
traces, and requests cost nothing. `tracing` begins and ends the spans of requests; `run_spans` makes those of queries.
"""

from server.tracing.tracing import Facts, Tracing, tracing_of

__all__ = ["Facts", "Tracing", "tracing_of"]
