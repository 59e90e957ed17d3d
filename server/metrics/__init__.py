"""Metrics for Prometheus: requests are counted as they end, all else is read from what counts it when somebody asks.

`request_counts` counts requests, and `sources` is where the rest is read. `writing` writes all as text for `page`, with
the families of `requests`, `work`, `data` and `process`.
"""

from server.metrics.page import exposition
from server.metrics.request_counts import Ended, RequestCounts
from server.metrics.sources import Sources

__all__ = ["Ended", "RequestCounts", "Sources", "exposition"]
