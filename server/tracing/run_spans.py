"""Makes spans of a run of queries: one for planning, and one for each operator of their plans.

The executor runs the searches of all plans first, and then each tree from its leaves up. A trace has the time of each
operator, so the spans are set one after the other in this order. The span of an operator begins with its first input.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from planner.explain import ExplainNode, Run

MAX_SPANS = 256
"""Operators of one run that have spans."""

Below = Callable[[Any], Any]
"""Makes the context of the spans below a span."""

_NUMBERS = ("estimated_rows", "rows_in", "rows_out", "distance_computations")


def tell_run(run: Run, span: Any, tracer: Any, below: Below) -> None:
    """Makes the spans of `run` below `span`, that of the request."""
    context, queries = below(span), {"headwater.queries": run.queries}
    tracer.start_span("plan", context=context, start_time=run.started, attributes=queries).end(run.planned)
    if not run.traced:
        return
    times = _Times(run.planned, run.ended)
    for leaf in _leaves(run.plans):
        times.take(leaf)
    room = iter(range(MAX_SPANS))
    for number, root in enumerate(run.plans):
        times.finish(root)
        attributes = {"headwater.query": number} if run.queries > 1 else {}
        _tell(root, _Teller(tracer, below, times, room, attributes), context)


@dataclass(slots=True)
class _Times:
    """When each operator began and ended, in Unix nanoseconds, by its identity."""

    now: int
    end: int
    spans: dict[int, tuple[int, int]] = field(default_factory=dict)

    def take(self, node: ExplainNode) -> int:
        """Gives the operator its own time from now on. Returns when it begins."""
        began = self.now
        self.now = min(self.end, began + 1_000 * (node.microseconds or 0))
        self.spans[id(node)] = (began, self.now)
        return began

    def finish(self, root: ExplainNode) -> int:
        """Times what is above the leaves, from there up. Returns when the first operator below `root` began."""
        if not root.children:
            return self.spans[id(root)][0]
        first = min(self.finish(child) for child in root.children)
        began = self.take(root)
        self.spans[id(root)] = (min(first, began), self.now)
        return min(first, began)


@dataclass(frozen=True, slots=True)
class _Teller:
    """What the spans of one plan have in common."""

    tracer: Any
    below: Below
    times: _Times
    room: Iterator[int]
    attributes: dict[str, int]


def _tell(node: ExplainNode, teller: _Teller, context: Any) -> None:
    if next(teller.room, None) is None:
        return
    began, ended = teller.times.spans[id(node)]
    attributes = {**teller.attributes, **dict(_attributes(node))}
    span = teller.tracer.start_span(node.operator, context=context, start_time=began, attributes=attributes)
    below = teller.below(span)
    for child in node.children:
        _tell(child, teller, below)
    span.end(ended)


def _attributes(node: ExplainNode) -> Iterator[tuple[str, str | int]]:
    """What EXPLAIN tells of an operator."""
    yield "headwater.stage", node.stage
    for name, value in node.attributes.items():
        yield f"headwater.{re.sub(r'[^a-z0-9_.]+', '_', name.lower())}", value
    if node.strategy:
        yield "headwater.strategy", node.strategy
    if node.reason:
        yield "headwater.reason", node.reason
    for name in _NUMBERS:
        number = getattr(node, name)
        if number is not None:
            yield f"headwater.{name}", number


def _leaves(plans: Sequence[ExplainNode]) -> Iterator[ExplainNode]:
    for node in plans:
        if node.children:
            yield from _leaves(node.children)
        else:
            yield node
