"""What the log says of a slow request: the plans of its queries without values of users, and what its searches did."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

from planner.explain import ExplainNode, Run, render
from storage.meter import Meter

MAX_PLAN_CHARACTERS = 8_000
"""Characters of the plans in one log entry, as text."""

MAX_PLAN_NODES = 64
"""Operators of the plans in one log entry, as JSON."""


@dataclass(frozen=True, slots=True)
class Plans:
    """The plans of a request, for a log of either form. `left_out`: queries whose plan is not here."""

    roots: Sequence[ExplainNode]
    left_out: int

    def text(self) -> str:
        """The trees as lines, within the bound."""
        trees = [render(root) for root in self.roots]
        if self.left_out:
            trees.append(f"... and {self.left_out:,} more queries")
        text = "\n".join(trees)
        if len(text) <= MAX_PLAN_CHARACTERS:
            return text
        return f"{text[:MAX_PLAN_CHARACTERS]}\n... {len(text):,} characters in all"

    def data(self) -> list[dict[str, Any]]:
        """The trees as values of JSON, within the bound."""
        room = iter(range(MAX_PLAN_NODES))
        return [_data(root, room) for root in self.roots if next(room, None) is not None]


def plans_of(runs: Sequence[Run]) -> Plans | None:
    """The plans of the queries that ran; None if there are none."""
    roots = [root for run in runs for root in run.plans]
    return Plans(roots, sum(run.queries for run in runs) - len(roots)) if roots else None


def work_of(meter: Meter | None) -> dict[str, Any]:
    """What the searches of a request did, as facts for the log; empty if there were none."""
    if meter is None or not meter.searches:
        return {}
    return {
        "searches": dict(meter.searches),
        "rows_scanned": meter.rows_scanned,
        "graph_steps": meter.graph_steps,
    }


def _data(node: ExplainNode, room: Iterator[int]) -> dict[str, Any]:
    """The operator and those below it, as long as there is room. What it does not have is left out."""
    facts = {field.name: getattr(node, field.name) for field in fields(node) if field.name != "children"}
    told: dict[str, Any] = {name: value for name, value in facts.items() if value not in (None, "", {})}
    children = [_data(child, room) for child in node.children if next(room, None) is not None]
    left_out = len(node.children) - len(children)
    return told | ({"children": children} if children else {}) | ({"left_out": left_out} if left_out else {})
