"""Filters of writes, evaluated by the threads that commit: one at a time, in slices. Meaning is match.py's.

A request that waits for its commit has given its place to others, so its turn says nothing to these threads. There are
many of them; if all of them evaluated at once, they would leave the interpreter to nobody else.
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
"""How long one works before it lets others work."""

_REST_SECONDS = 0.0005  # long enough that whoever waits gets the interpreter, and the next filter its turn


class WriteFilters:
    """Safe for many threads. None waits, while it evaluates, for anything that another one holds."""

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
        """The budget with this thread's turn. Raises what `Budget.check` raises while it waits."""
        turn = _Turn(self._evaluating, budget)
        turn.take()
        try:
            yield replace(budget, turn=turn)
        finally:
            turn.give_back()


class _Turn:
    """See storage.budget.Turn. Of one evaluation, in one thread."""

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
            self._of_request.pause()  # raises when the server ends
        if time.monotonic() >= self._until:
            with self.idle():
                time.sleep(_REST_SECONDS)

    @contextmanager
    def idle(self) -> Iterator[None]:
        """See storage.budget.Turn."""
        self.give_back()
        yield
        self.take()
