"""Bounds of what is counted, and the buckets of histograms."""

from hypothesis import given
from hypothesis import strategies as st

from server.metrics.families import histograms
from server.metrics.request_counts import MAX_STRATEGIES, OTHER, Ended, RequestCounts
from storage.histogram import Histogram
from storage.meter import Meter

BOUNDS = (0.5, 1.0, 2.0)


@given(st.lists(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0])))
def test_buckets_hold_what_is_at_most_their_bound(values: list[float]) -> None:
    histogram = Histogram(BOUNDS)
    for value in values:
        histogram.add(value)
    family = histograms("test", "about", [], [((), histogram.read())])
    shown = {sample.labels.get("le", sample.name): sample.value for sample in family.samples}
    for bound in BOUNDS:
        assert shown[f"{bound:g}"] == sum(value <= bound for value in values)
    assert shown["+Inf"] == shown["headwater_test_count"] == len(values)
    assert shown["headwater_test_sum"] == sum(values)


def test_strategies_have_a_bound() -> None:
    counts = RequestCounts()
    for number in range(2 * MAX_STRATEGIES):
        meter = Meter()
        meter.searched(f"way {number}")
        counts.add(Ended("a/b", "OK", "cheap", 0.1, 1, 1, meter))
    strategies = counts.searches().strategies
    assert len(strategies) == MAX_STRATEGIES + 1
    assert strategies[OTHER] == MAX_STRATEGIES
