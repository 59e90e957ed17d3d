"""How time is taken: wall and processor time of a process, in rounds that alternate with the reference's.

The machine's speed drifts, so figures are compared only as the median of ratios of neighbouring rounds.
"""

import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")

Work = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Result:
    """One row of the report. `ratio` is measured / reference: the median over rounds, and its extremes.

    It should be `goal` at most; of rates, `at_least` so much.
    """

    what: str
    reference: str
    ratio: float
    low: float
    high: float
    goal: float
    note: str = ""
    at_least: bool = False

    @property
    def reached(self) -> bool:
        return self.ratio >= self.goal if self.at_least else self.ratio <= self.goal

    @property
    def aim(self) -> str:
        """The goal in words."""
        return f"{'at least' if self.at_least else 'at most'} {self.goal:g}"


@dataclass(frozen=True, slots=True)
class Skipped:
    """A row that could not be measured, and why."""

    what: str
    reason: str


def process_seconds(pid: int) -> float:
    """Processor time that a process used so far, in seconds (resolution: a clock tick)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def wall(work: Work) -> float:
    """Seconds that `work` takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def own_processor(work: Work) -> float:
    """Processor seconds that this process uses while `work` runs: what to hold against another process's, since a
    busy machine lengthens wall times alone."""
    started = time.process_time()
    work()
    return time.process_time() - started


def processor(pid: int, work: Work) -> float:
    """Processor seconds that process `pid` uses while `work` runs."""
    started = process_seconds(pid)
    work()
    return process_seconds(pid) - started


def compare(
    what: str,
    reference: str,
    rounds: Sequence[tuple[float, float]],
    *,
    goal: float,
    note: str = "",
    at_least: bool = False,
) -> Result:
    """The result of rounds of (measured, reference)."""
    ratios = [measured / against for measured, against in rounds]
    return Result(what, reference, statistics.median(ratios), min(ratios), max(ratios), goal, note, at_least)
