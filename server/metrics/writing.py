"""Writes the metrics of a server in the text format of Prometheus."""

from collections.abc import Iterator

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from server.metrics.data import data_families
from server.metrics.process import process_families
from server.metrics.requests import request_families
from server.metrics.sources import Sources
from server.metrics.work import work_families


class _All(Collector):
    """All families of a server, as prometheus_client reads them."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def collect(self) -> Iterator[Metric]:
        """See Collector."""
        yield from request_families(self._sources.counts, self._sources.admission)
        yield from work_families(self._sources)
        yield from data_families(self._sources)
        yield from process_families(self._sources)


def written(sources: Sources) -> tuple[bytes, str]:
    """See `exposition` in page.py."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_All(sources))
    ProcessCollector(registry=registry)
    return generate_latest(registry), CONTENT_TYPE_LATEST
