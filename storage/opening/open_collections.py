"""Bounds how many collections are open at once: which one gets a place, and which one is closed to make room.

open_on_use.py opens and closes them. A collection that is closed to make room is opened again by its next use, unlike
one that a user closed.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from storage.budget import Budget
from storage.errors import SystemLimitReached, TooManyOpenCollections

log = logging.getLogger(__name__)

WAIT_SECONDS = 10.0
"""Longest wait for a place while every open collection is in use, whatever the deadline."""

_POLL_SECONDS = 0.02  # between two looks for a collection that is not in use any more


class Closable(Protocol):
    """Something that holds a place."""

    last_used: float

    def begin_closing(self) -> bool:
        """Whether it may be closed now. If True it accepts no new use, and `finish_closing` must follow."""
        ...

    def finish_closing(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCounts:
    """`open` collections of at most `most`, and how many were `opened`, and closed to make room, so far."""

    open: int
    most: int
    opened: int
    closed_for_room: int


class OpenCollections:
    """At most `most` places. Safe for many threads; the lock is not held while something is opened or closed."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken = 0
        self._open: set[Closable] = set()
        self._opened = 0
        self._closed_for_room = 0
        self._changed = threading.Condition()

    def counts(self) -> OpenCounts:
        with self._changed:
            return OpenCounts(
                open=len(self._open), most=self._most, opened=self._opened, closed_for_room=self._closed_for_room
            )

    def open(self, holder: Closable, do_open: Callable[[], None], budget: Budget) -> None:
        """Gives `holder` a place and calls `do_open`, which raises SystemLimitReached when the system refuses it.

        Raises TooManyOpenCollections, SystemLimitReached, DeadlineExceeded, Cancelled, or what `do_open` raises. After
        an error `holder` has no place.
        """
        self._take(budget)
        try:
            self._open_with_room(do_open)
        except BaseException:
            self._give_back()
            raise
        with self._changed:
            self._open.add(holder)
            self._opened += 1

    def leave(self, holder: Closable) -> None:
        """Takes back the place of a holder that was closed."""
        with self._changed:
            self._open.discard(holder)
        self._give_back()

    def _take(self, budget: Budget) -> None:
        """Takes a place. Closes the least recently used holder when there is no free one."""
        ends = time.monotonic() + WAIT_SECONDS
        while True:
            with self._changed:
                if self._taken < self._most:
                    self._taken += 1
                    return
            if self._close_one():
                continue
            budget.check()
            if time.monotonic() >= ends:
                raise TooManyOpenCollections(self._most)
            with budget.idle(), self._changed:
                self._changed.wait(_POLL_SECONDS)

    def _open_with_room(self, do_open: Callable[[], None]) -> None:
        """Calls `do_open`. While the system refuses it, closes other holders, one after another."""
        while True:
            try:
                return do_open()
            except SystemLimitReached:
                if not self._close_one():
                    raise

    def _give_back(self) -> None:
        with self._changed:
            self._taken -= 1
            self._changed.notify()

    def _close_one(self) -> bool:
        """Closes the least recently used holder that may be closed; False when there is none."""
        with self._changed:
            chosen = next((each for each in sorted(self._open, key=_last_used) if each.begin_closing()), None)
            if chosen is None:
                return False
            self._open.discard(chosen)
            self._closed_for_room += 1
        try:
            chosen.finish_closing()
        finally:
            self._give_back()
        return True


def _last_used(each: Closable) -> float:
    return each.last_used
