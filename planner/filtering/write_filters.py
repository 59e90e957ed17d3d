"""Filters of writes, evaluated by the threads that commit: one at a time, in slices. match.py says what they mean.

A request that waits for its commit has given its place to others, so its own turn does not hold these threads back.
There are many of them. If all evaluated at once, no other thread would get the interpreter.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from planner.filtering.match import matches, matching_slots
from planner.filtering.row_tests import Mask
from planner.resolve import CheckedFilter
from storage.budget import Budget, Turn
from storage.tables import Reader

SLICE_SECONDS = 0.005
"""How long a thread evaluates before it lets others work."""

_REST_SECONDS = 0.0005  # long enough that a waiting thread gets the interpreter, and the next filter its turn


class WriteFilters:
    """Safe for many threads. While a thread evaluates, it never waits for something that another one holds."""

    def __init__(self) -> None:
        self._evaluating = threading.Lock()

    def matching_slots(self, reader: Reader, filter: CheckedFilter, budget: Budget) -> NDArray[np.uint32]:
        """As match.matching_slots, without indexes."""
        with self._in_turn(budget) as paced:
            return matching_slots(reader, filter, paced)

    def matches(self, reader: Reader, slots: NDArray[np.uint32], filter: CheckedFilter, budget: Budget) -> Mask:
        """As match.matches."""
        with self._in_turn(budget) as paced:
            return matches(reader, filter, slots, budget=paced)

    @contextmanager
    def _in_turn(self, budget: Budget) -> Iterator[Budget]:
        """The budget, with this thread's turn. Raises what `Budget.check` raises while it waits."""
        turn = _Turn(self._evaluating, budget)
        turn.take()
        try:
            yield replace(budget, turn=turn)
        finally:
            turn.give_back()


class _Turn:
    """See storage.budget.Turn. It belongs to one evaluation, in one thread."""

    def __init__(self, evaluating: threading.Lock, budget: Budget) -> None:
        self._evaluating = evaluating
        self._budget = replace(budget, turn=None)
        self._of_request: Turn | None = budget.turn
        self._has_turn = False
        self._until = 0.0

    def take(self) -> None:
        self._budget.acquire(self._evaluating)
        self._has_turn = True
        self._until = time.monotonic() + SLICE_SECONDS

    def give_back(self) -> None:
        if self._has_turn:
            self._has_turn = False
            self._evaluating.release()

    def pause(self) -> None:
        """See storage.budget.Turn."""
        if self._of_request is not None:
            self._of_request.pause()  # this raises when the server ends
        if time.monotonic() >= self._until:
            with self.idle():
                time.sleep(_REST_SECONDS)

    @contextmanager
    def idle(self) -> Iterator[None]:
        """See storage.budget.Turn."""
        self.give_back()
        yield
        self.take()
