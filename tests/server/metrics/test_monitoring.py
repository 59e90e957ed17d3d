"""The dashboard and the alerts ask for metrics that there are, by labels that these have."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.support.documented_metrics import documented_metrics
from tests.support.root import ROOT

DASHBOARD = ROOT / "monitoring/dashboard.json"
ALERTS = ROOT / "monitoring/alerts.yml"
METRIC = re.compile(r"\b((?:headwater|process)_\w+)(?:\{([^}]*)\})?")
LABEL = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"")
GROUPED = re.compile(r"\b(?:by|on)\s*\(([^)]*)\)")
SUFFIX = re.compile(r"_(?:bucket|sum|count)$")
OF_PROMETHEUS = {"instance", "job", "le"}
"""Labels that Prometheus adds, and that of buckets."""


def alerts() -> list[dict[str, Any]]:
    [group] = yaml.safe_load(ALERTS.read_text())["groups"]
    rules: list[dict[str, Any]] = group["rules"]
    return rules


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text())["panels"]
    return found


def expressions() -> Iterator[tuple[str, str]]:
    """Where each expression is, and the expression."""
    for rule in alerts():
        yield rule["alert"], rule["expr"]
    for panel in panels():
        for target in panel.get("targets", []):
            yield f"{panel['title']}, {target['refId']}", target["expr"]


def labels_shown() -> Iterator[tuple[str, str, set[str]]]:
    """Where a text shows labels, the expression of their values, and the labels."""
    for rule in alerts():
        text = " ".join(rule["annotations"].values())
        yield rule["alert"], rule["expr"], set(re.findall(r"\$labels\.(\w+)", text))
    for panel in panels():
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"], set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))


def listed(name: str) -> set[str] | None:
    """The labels of a metric, given as an expression has it; None: there is no such metric."""
    documented = documented_metrics()
    return documented.get(name, documented.get(SUFFIX.sub("", name)) if SUFFIX.search(name) else None)


@pytest.mark.parametrize(("where", "expression"), list(expressions()), ids=[where for where, _ in expressions()])
def test_names_and_labels_exist(where: str, expression: str) -> None:
    asked = METRIC.findall(expression)
    assert asked
    for name, matchers in asked:
        labels = listed(name)
        assert labels is not None, name
        assert set(LABEL.findall(matchers)) <= labels | OF_PROMETHEUS, (name, matchers)
    grouped = {label.strip() for labels in GROUPED.findall(expression) for label in labels.split(",")}
    assert grouped <= OF_PROMETHEUS.union(*(listed(name) or set() for name, _ in asked))


def test_texts_show_labels_that_are_left() -> None:
    """A sum keeps only the labels that it groups by."""
    for where, expression, shown in labels_shown():
        groups = GROUPED.findall(expression.split(" and on ")[0])
        if groups:
            kept = {label.strip() for label in groups[0].split(",")}
        else:
            kept = {"instance", "job"}.union(*(listed(name) or set() for name, _ in METRIC.findall(expression)))
        assert shown <= kept, where


def test_every_metric_of_the_server_has_a_panel() -> None:
    """Those that people would look for in vain elsewhere: all but a few that tell the same in another way."""
    asked = {SUFFIX.sub("", name) for _, expression in expressions() for name, _ in METRIC.findall(expression)}
    others = {
        "headwater_lane_begun",
        "headwater_info",
        "process_virtual_memory_bytes",
        "process_resident_memory_bytes",
        "process_start_time_seconds",
    }
    assert documented_metrics().keys() - asked == others


def test_the_dashboard_is_whole() -> None:
    numbers = [panel["id"] for panel in panels()]
    assert len(set(numbers)) == len(numbers)
    places = [tuple(panel["gridPos"].values()) for panel in panels()]
    assert len(set(places)) == len(places)
    assert all(place[1] + place[2] <= 24 for place in places)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_prometheus_accepts_the_alerts() -> None:
    subprocess.run(["promtool", "check", "rules", str(ALERTS)], check=True)
