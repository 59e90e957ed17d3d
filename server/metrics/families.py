"""Makes the families of Prometheus: a name, its help text, and samples by label."""

from collections.abc import Iterable, Mapping, Sequence

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from storage.histogram import Buckets

PREFIX = "headwater_"
Labelled = Iterable[tuple[Sequence[str], float]]
"""Samples: the values of the labels, and the number."""


def gauge(name: str, about: str, value: float) -> Metric:
    """A number that goes up and down."""
    return GaugeMetricFamily(PREFIX + name, about, value=value)


def counter(name: str, about: str, value: float) -> Metric:
    """A number that only grows. Prometheus shows it with `_total`."""
    return CounterMetricFamily(PREFIX + name, about, value=value)


def gauges(name: str, about: str, labels: Sequence[str], samples: Labelled) -> Metric:
    """Gauges of one name."""
    family = GaugeMetricFamily(PREFIX + name, about, labels=labels)
    for values, number in samples:
        family.add_metric(values, number)
    return family


def counters(name: str, about: str, labels: Sequence[str], samples: Labelled) -> Metric:
    """Counters of one name."""
    family = CounterMetricFamily(PREFIX + name, about, labels=labels)
    for values, number in samples:
        family.add_metric(values, number)
    return family


def histograms(
    name: str, about: str, labels: Sequence[str], samples: Iterable[tuple[Sequence[str], Buckets]]
) -> Metric:
    """Histograms of one name."""
    family = HistogramMetricFamily(PREFIX + name, about, labels=labels)
    for values, buckets in samples:
        family.add_metric(values, _cumulated(buckets), buckets.total)
    return family


def _cumulated(buckets: Buckets) -> list[tuple[str, float]]:
    """The buckets as Prometheus has them: how many values were at most each bound."""
    cumulated: list[tuple[str, float]] = []
    count = 0
    for bound, here in zip([*(f"{bound:g}" for bound in buckets.bounds), "+Inf"], buckets.counts, strict=True):
        count += here
        cumulated.append((bound, float(count)))
    return cumulated


def by_name(samples: Mapping[str, float]) -> Labelled:
    """Samples with one label."""
    return [((name,), number) for name, number in samples.items()]
