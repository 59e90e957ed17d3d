"""What the watcher of a request is told of its queries: how they were planned, and how they ran if that was traced."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from planner.execute import Source, Trace
from planner.explain.explain_node import ExplainNode
from planner.explain.explanation import outline
from planner.plan import Plan
from storage.budget import Watcher

MAX_TOLD = 8
"""Queries of a batch that a watcher is told of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run of `queries` queries, of which the first have their plans here, without values of users.

    Times are Unix nanoseconds: when planning began, when it ended, and when the answers were there. `traced`: the plans
    tell what happened.
    """

    plans: tuple[ExplainNode, ...]
    queries: int
    traced: bool
    started: int
    planned: int
    ended: int


@contextmanager
def watching(plan: Plan, source: Source, watcher: Watcher | None) -> Iterator[None]:
    """A context in which `plan` runs without a trace. At its end the watcher is told of the plan, if it wants it."""
    watched = Watched.begun()
    watched.note_planned()
    try:
        yield
    finally:
        if watcher is not None and (watcher.traces or watcher.is_slow()):
            watcher.ran(watched.run([plan], source, None))


@dataclass(slots=True)
class Watched:
    """A run in progress."""

    started: int
    planned: int = 0

    @classmethod
    def begun(cls) -> "Watched":
        """A run that begins now."""
        return cls(time.time_ns())

    def note_planned(self) -> None:
        """Notes that planning has ended."""
        self.planned = time.time_ns()

    def run(self, plans: Sequence[Plan], source: Source, traces: Sequence[Trace] | None) -> Run:
        """The run, which ends now. `traces` None: nothing was traced, or the run failed."""
        ended = time.time_ns()
        told = [
            outline(plan, source, None if traces is None else traces[number])
            for number, plan in enumerate(plans[:MAX_TOLD])
        ]
        return Run(
            plans=tuple(told),
            queries=len(plans),
            traced=traces is not None,
            started=self.started,
            planned=self.planned or ended,
            ended=ended,
        )
