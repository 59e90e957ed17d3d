"""The families of the server as a process: its memory by kind, its state, its version.

prometheus_client adds those that every process has: processor time, descriptors, and when it started.
"""

import importlib.metadata
from collections.abc import Iterator
from pathlib import Path

from prometheus_client.metrics_core import Metric

from server.metrics.families import by_name, gauge, gauges
from server.metrics.sources import Sources

_STATUS = Path("/proc/self/status")
_KINDS = {"RssAnon": "anonymous", "RssFile": "file", "RssShmem": "shared"}
"""Kinds of memory by the names that the system gives them."""


def process_families(sources: Sources) -> Iterator[Metric]:
    """How the process is."""
    yield gauge("ready", "1 while requests are served, else 0.", sources.is_ready())
    yield gauges("info", "The version of the server; the number is 1.", ["version"], [((_version(),), 1)])
    yield gauges(
        "memory_bytes",
        "Resident memory by kind: anonymous is the server's own, file can be given back at any time.",
        ["kind"],
        by_name(_memory()),
    )
    caches = sources.engine.caches()
    kept = {
        "filters": caches.filter_bytes,
        "filter_rows": sources.database.usage.matching_row_bytes,
        "point_ids": sources.database.usage.point_column_bytes,
        "field_indexes": caches.field_index_bytes,
        "text_indexes": caches.text_index_bytes,
    }
    yield gauges("cache_bytes", "Memory of what is remembered, about.", ["cache"], by_name(kept))


def _version() -> str:
    try:
        return importlib.metadata.version("headwater-server")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def _memory() -> dict[str, float]:
    """Bytes by kind; empty where the system does not tell."""
    try:
        lines = [line.split() for line in _STATUS.read_text().splitlines()]
    except OSError:
        return {}
    return {_KINDS[words[0][:-1]]: float(words[1]) * 1024 for words in lines if words and words[0][:-1] in _KINDS}
