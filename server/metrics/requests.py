"""The families of requests and of the lanes in which they wait and work."""

from collections import Counter
from collections.abc import Iterator

from prometheus_client.metrics_core import Metric

from server.lanes import Admission
from server.metrics.families import by_name, counters, gauge, gauges, histograms
from server.metrics.request_counts import RequestCounts


def request_families(counts: RequestCounts, admission: Admission) -> Iterator[Metric]:
    """What came in, how it ended, and what waits."""
    requests = counts.requests()
    yield counters(
        "requests",
        "Requests that ended, by RPC, status and the lane in which they ended.",
        ["method", "status", "lane"],
        [((each.method, status, each.lane), count) for each in requests for status, count in each.statuses.items()],
    )
    yield histograms(
        "request_seconds",
        "Time from the arrival of a request to its answer, with the time that it waited.",
        ["method", "lane"],
        [((each.method, each.lane), each.seconds) for each in requests],
    )
    received, sent = Counter[str](), Counter[str]()
    for each in requests:
        received[each.method] += each.received
        sent[each.method] += each.sent
    yield counters("request_bytes", "Bytes of the messages of requests, as they came.", ["method"], by_name(received))
    yield counters("reply_bytes", "Bytes of the messages of replies, as protobuf.", ["method"], by_name(sent))
    yield from _lane_families(admission)


def _lane_families(admission: Admission) -> Iterator[Metric]:
    lanes = admission.counts()
    for name, about in _LANE_GAUGES.items():
        yield gauges(f"lane_{name}", about, ["lane"], by_name({lane: getattr(lanes[lane], name) for lane in lanes}))
    for name, about in _LANE_COUNTERS.items():
        yield counters(f"lane_{name}", about, ["lane"], by_name({lane: getattr(lanes[lane], name) for lane in lanes}))
    yield gauge("accepted_bytes", "Bytes of requests that wait or are served.", admission.accepted_bytes)


_LANE_GAUGES = {
    "working": "Requests of a lane that work now.",
    "begun": "Requests of a lane that have begun and not ended; some of them wait for others.",
    "waiting": "Requests of a lane that have not begun.",
}
_LANE_COUNTERS = {
    "started": "Requests that began in a lane.",
    "refused": "Requests that were refused because too many waited.",
    "waited_seconds": "Time that requests waited before they began.",
}
