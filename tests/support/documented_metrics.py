"""The metrics that docs/monitoring.md lists: their labels by name."""

from tests.support.document_tables import code, table
from tests.support.root import ROOT


def documented_metrics() -> dict[str, set[str]]:
    """Histograms are listed without `_bucket`, `_sum` and `_count`, and without the label `le`."""
    _, *rows = table(ROOT / "docs/monitoring.md", "All metrics")
    return {code(name)[0]: set(code(labels)) for name, labels, _ in rows}
