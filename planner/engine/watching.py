"""What the watcher of a request is told of its queries: how they were planned, and how they ran if that was traced."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from planner.execute import Source, Trace
from planner.explain import ExplainNode, outline
from planner.plan import Plan

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
