"""Opens a collection's files and writer on first use, closes them to make room, and closes them for good once.

open_collections.py decides which collection is closed when. mvcc/loading.py knows what opening reads.
"""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from storage.budget import UNLIMITED, Budget
from storage.errors import CollectionClosed
from storage.mvcc import CollectionState, close_core
from storage.opening.hold import Hold
from storage.opening.open_collections import OpenCollections
from storage.write import Unit, Writer

log = logging.getLogger(__name__)

_POLL_SECONDS = 0.05  # how soon a caller that went away while another opens is noticed


@dataclass(frozen=True, slots=True)
class Opened:
    """The parts of a collection that exist while it is open."""

    core: CollectionState
    writer: Writer


class OpenOnUse:
    """Counts uses. A collection stays open while it has a use, or its writer has work. Safe for many threads.

    `name` is for errors. `opened` is called after each opening, before any use of it ends; `closed` after each closing
    to make room. Both are called without a lock.
    """

    def __init__(
        self,
        name: str,
        places: OpenCollections,
        do_open: Callable[[], Opened],
        *,
        opened: Callable[[], None],
        closed: Callable[[], None],
    ) -> None:
        self._name = name
        self._places = places
        self._do_open = do_open
        self._tell_opened = opened
        self._tell_closed = closed
        self._opened: Opened | None = None
        self._last: CollectionState | None = None
        self._uses = 0
        self._moving = False
        """Whether some thread is opening or closing it."""
        self._ended = False
        self._changed = threading.Condition()
        self.last_used = 0.0

    @property
    def core(self) -> CollectionState:
        """The newest one, perhaps closed by now: its view still knows schema and commit. Requires: it was opened
        before."""
        assert self._last is not None, "the collection was opened before"
        return self._last

    @property
    def is_open(self) -> bool:
        """Whether it is open now. While nobody uses it, it may be closed at any time."""
        return self._opened is not None

    @property
    def waiting_writes(self) -> int:
        """The number of writes that wait, without those that are being applied."""
        opened = self._opened
        return 0 if opened is None else opened.writer.waiting

    @property
    def is_opening(self) -> bool:
        """Whether a use is waiting until it is open."""
        return self._moving and self._opened is None and not self._ended

    @property
    def ended(self) -> bool:
        """Whether it was closed for good, or is about to be."""
        return self._ended

    def use(self, budget: Budget, do_open: Callable[[], Opened] | None = None) -> Opened:
        """Begins a use, which `leave` must end. Opens the files when they are closed: with `do_open` if it is given.

        Only one thread opens; the others wait for it. Raises CollectionClosed, TooManyOpenCollections,
        SystemLimitReached, DeadlineExceeded, Cancelled, or what opening raises.
        """
        while True:
            with self._changed:
                if self._ended:
                    raise CollectionClosed(self._name)
                if not self._moving:
                    if self._opened is not None:
                        return self._begin(self._opened)
                    self._moving = True
                    break
            budget.check()  # not while the lock is held: `check` may wait for others
            with budget.idle(), self._changed:
                if self._moving:
                    self._changed.wait(_POLL_SECONDS)
        return self._open(do_open or self._do_open, budget)

    def hold(self, budget: Budget = UNLIMITED) -> Hold:
        """Begins a use that ends when the hold is released. Raises what `use` raises."""
        self.use(budget)
        return Hold(self.leave)

    def hold_if_open(self) -> Hold | None:
        """Returns a hold if the files are open, else None. Does not wait."""
        with self._changed:
            if self._ended or self._moving or self._opened is None:
                return None
            self._begin(self._opened)
        return Hold(self.leave)

    def hold_again(self) -> Hold:
        """Returns another hold. Requires: a hold."""
        with self._changed:
            assert self._opened is not None, "what is in use is open"
            self._begin(self._opened)
        return Hold(self.leave)

    def submit(self, unit: Unit, budget: Budget = UNLIMITED) -> "Future[Any]":
        """Gives the writer a unit of work. Raises what `use` raises, TooManyWrites and StorageFailed."""
        writer = self.use(budget).writer
        try:
            return writer.submit(unit)
        finally:
            self.leave()

    def leave(self) -> None:
        """Ends a use."""
        with self._changed:
            self._uses -= 1
            self.last_used = time.monotonic()
            if not self._uses:
                self._changed.notify_all()

    def close(self, before_waiting: Callable[[], None]) -> None:
        """Closes for good: refuses new uses, commits waiting writes, calls `before_waiting`, waits for the uses to end,
        and closes the files."""
        with self._changed:
            if self._ended:
                return
            self._ended = True
            self._changed.notify_all()
            while self._moving:
                self._changed.wait()
        if self._opened is not None:
            self._opened.writer.stop()
        before_waiting()
        with self._changed:
            while self._uses:
                self._changed.wait()
        if self._opened is not None:
            try:
                close_core(self._opened.core)
            finally:
                self._opened = None
                self._places.leave(self)

    def begin_closing(self) -> bool:
        """See Closable."""
        with self._changed:
            if self._ended or self._moving or self._uses or self._opened is None:
                return False
            writer = self._opened.writer
            if writer.is_busy or writer.failure is not None:  # people must see the failure, and open it again
                return False
            self._moving = True
            return True

    def finish_closing(self) -> None:
        """See Closable."""
        assert self._opened is not None, "closing begins with an open collection"
        opened, self._opened = self._opened, None
        try:
            close_core(opened.core)
            self._tell_closed()
        except Exception:
            log.exception("closing collection %r for room failed", self._name)
        finally:
            self._end_moving()
        log.debug("collection %r was closed to make room for another", self._name)

    def _open(self, do_open: Callable[[], Opened], budget: Budget) -> Opened:
        """Requires: this thread set `_moving`."""
        try:
            found: list[Opened] = []
            self._places.open(self, lambda: found.append(do_open()), budget)
        except BaseException:
            self._end_moving()
            raise
        with self._changed:
            [opened] = found
            self._opened, self._last = opened, opened.core
            self._begin(opened)
        self._end_moving()
        try:
            self._tell_opened()
        except BaseException:
            self.leave()
            raise
        return opened

    def _begin(self, opened: Opened) -> Opened:
        """Requires: the lock."""
        self._uses += 1
        self.last_used = time.monotonic()
        return opened

    def _end_moving(self) -> None:
        with self._changed:
            self._moving = False
            self._changed.notify_all()
