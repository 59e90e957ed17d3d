"""Asks a server for its metrics, and reads them."""

from urllib.request import Request, urlopen

from prometheus_client.parser import text_string_to_metric_families

Labels = frozenset[tuple[str, str]]


class Scrape:
    """The samples of one answer of /metrics."""

    def __init__(self, text: str) -> None:
        self.families = {family.name: family for family in text_string_to_metric_families(text)}
        self._samples = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in self.families.values()
            for sample in family.samples
        }

    def __call__(self, name: str, **labels: str) -> float:
        """The sum of the samples of this name (without `headwater_`) that have these labels; 0 if there are none."""
        wanted = frozenset(labels.items())
        found = [
            number for (full, has), number in self._samples.items() if full == f"headwater_{name}" and wanted <= has
        ]
        return sum(found)

    def names(self) -> dict[str, set[str] | None]:
        """The labels of each metric by its name as documents have it; None: there are no samples yet."""
        listed: dict[str, set[str] | None] = {}
        for family in self.families.values():
            name = f"{family.name}_total" if family.type == "counter" else family.name
            labels = {label for sample in family.samples for label in sample.labels} - {"le"}
            listed[name] = labels if family.samples else None
        return listed

    def labels(self, name: str, label: str) -> set[str]:
        """The values of a label of the samples of this name."""
        return {dict(has)[label] for full, has in self._samples if full == f"headwater_{name}"}


def scrape(http: str, key: str | None = None) -> Scrape:
    """The metrics of the server whose HTTP port is at `http`."""
    request = Request(f"http://{http}/metrics", headers={} if key is None else {"api-key": key})
    with urlopen(request, timeout=60) as answer:
        assert answer.headers["content-type"].startswith("text/plain; version=")
        return Scrape(answer.read().decode())
