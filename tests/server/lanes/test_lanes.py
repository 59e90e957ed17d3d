"""Lanes and turns without gRPC: places, taking turns, resting, ends."""

import queue
import threading
import time
from collections.abc import Callable

import pytest

from server.errors.lanes import TooManyRequests
from server.lanes.admission import Admission, AdmissionBounds
from server.lanes.lane import Lane
from server.lanes.turn import Call, Turn
from storage.budget import Budget
from storage.errors import Cancelled, DeadlineExceeded, EngineError, ShuttingDown

WAIT = 20.0


class Caller:
    """Requests of one caller: what they did, and how they ended."""

    def __init__(self, admission: Admission, name: str) -> None:
        self._admission = admission
        self._name = name
        self.refused: queue.SimpleQueue[EngineError] = queue.SimpleQueue()
        self.ended: queue.SimpleQueue[EngineError | None] = queue.SimpleQueue()

    def ask(self, work: Callable[[Budget], None], lane: Lane | None = None, deadline: float | None = None) -> Turn:
        """Starts a request that does `work` when it has a place."""
        turn = Turn(self._admission, lane or self._admission.dear, self._name, 0)
        turn.deadline = deadline

        def run() -> None:
            turn.begin()
            error = None
            try:
                work(Budget(deadline, turn=turn, caller=self._name))
            except EngineError as caught:
                error = caught
            turn.end()
            self.ended.put(error)

        turn.call = Call(work=run, refuse=self.refused.put, cancel=lambda error: None)
        self._admission.start(turn)
        return turn


@pytest.fixture
def admission() -> Admission:
    return Admission(AdmissionBounds(workers=1, dear_workers=1, waiting=16))


def busy(seconds: float) -> Callable[[Budget], None]:
    """Work in small parts."""

    def work(budget: Budget) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            sum(range(1_000))
            budget.check()

    return work


def test_a_long_request_gives_its_place_to_a_short_one(admission: Admission) -> None:
    """The short one ends while the long one still works."""
    long, short = Caller(admission, "long"), Caller(admission, "short")
    stop = threading.Event()

    def endless(budget: Budget) -> None:
        while not stop.is_set():
            budget.check()

    long.ask(endless)
    short.ask(busy(0.01))
    assert short.ended.get(timeout=WAIT) is None
    assert long.ended.empty()
    stop.set()
    assert long.ended.get(timeout=WAIT) is None


def test_waiting_for_something_else_takes_no_place(admission: Admission) -> None:
    resting, other = Caller(admission, "a"), Caller(admission, "b")
    done = threading.Event()

    def rest(budget: Budget) -> None:
        with budget.idle():
            assert done.wait(WAIT)

    resting.ask(rest, admission.cheap)
    other.ask(lambda budget: done.set(), admission.cheap)
    assert other.ended.get(timeout=WAIT) is None
    assert resting.ended.get(timeout=WAIT) is None


def test_a_lock_held_across_turns_stops_nobody(admission: Admission) -> None:
    """One request holds a lock and has lost its place to another that wants the lock."""
    lock = threading.Lock()
    holder, wanting = Caller(admission, "a"), Caller(admission, "b")
    held = threading.Event()

    def hold(budget: Budget) -> None:
        with lock:
            held.set()
            busy(0.2)(budget)

    def want(budget: Budget) -> None:
        assert held.wait(WAIT)
        budget.acquire(lock)
        lock.release()

    holder.ask(hold)
    wanting.ask(want)
    assert holder.ended.get(timeout=WAIT) is None
    assert wanting.ended.get(timeout=WAIT) is None


def test_what_was_taken_for_cheap_goes_on_as_dear(admission: Admission) -> None:
    """A cheap request that works for long leaves the cheap lane to others."""
    wrong, cheap = Caller(admission, "wrong"), Caller(admission, "cheap")
    stop = threading.Event()

    def endless(budget: Budget) -> None:
        while not stop.is_set():
            sum(range(1_000))
            budget.check()

    turn = wrong.ask(endless, admission.cheap)
    cheap.ask(lambda budget: None, admission.cheap)
    assert cheap.ended.get(timeout=WAIT) is None
    assert turn.lane is admission.dear
    stop.set()
    assert wrong.ended.get(timeout=WAIT) is None


def blocked(admission: Admission, started: threading.Event, stop: threading.Event) -> Caller:
    """A caller that holds the only dear place and looks at nothing."""
    caller = Caller(admission, "blocking")

    def block(budget: Budget) -> None:
        started.set()
        assert stop.wait(WAIT)

    caller.ask(block)
    assert started.wait(WAIT)
    return caller


def test_a_full_queue_refuses_who_has_most_and_says_when_to_come_back() -> None:
    admission = Admission(AdmissionBounds(workers=1, dear_workers=1, waiting=16))
    stop = threading.Event()
    blocking = blocked(admission, threading.Event(), stop)
    many, few = Caller(admission, "many"), Caller(admission, "few")
    for _ in range(3):
        many.ask(busy(0))
    error = many.refused.get(timeout=WAIT)  # 16 // 8 may wait in the dear lane
    assert isinstance(error, TooManyRequests)
    assert error.retry_seconds > 0
    few.ask(busy(0))
    assert isinstance(many.refused.get(timeout=WAIT), TooManyRequests)
    stop.set()
    assert blocking.ended.get(timeout=WAIT) is None
    assert few.ended.get(timeout=WAIT) is None
    assert many.ended.get(timeout=WAIT) is None
    assert few.refused.empty()
    assert admission.counts()["dear"].refused == 2


def test_who_is_gone_waits_no_more(admission: Admission) -> None:
    stop = threading.Event()
    blocking = blocked(admission, threading.Event(), stop)
    leaving = Caller(admission, "leaving")
    leaving.ask(busy(0)).caller_left()
    assert admission.counts()["dear"].waiting == 0
    stop.set()
    assert blocking.ended.get(timeout=WAIT) is None
    assert leaving.ended.empty()


@pytest.mark.parametrize("why", ["deadline", "gone", "stop"])
def test_a_request_that_lost_its_place_ends(why: str) -> None:
    """While it waits for its next turn its deadline passes, its caller leaves, or the server stops."""
    admission = Admission(AdmissionBounds(workers=1, dear_workers=1))
    first, second = Caller(admission, "a"), Caller(admission, "b")
    stop, blocked = threading.Event(), threading.Event()

    def block(budget: Budget) -> None:
        blocked.set()
        assert stop.wait(WAIT)

    def endless(budget: Budget) -> None:
        while True:
            budget.check()

    turn = first.ask(endless, deadline=time.monotonic() + 1.0 if why == "deadline" else None)
    second.ask(block)
    assert blocked.wait(WAIT)
    if why == "gone":
        turn.caller_left()
    elif why == "stop":
        threading.Thread(target=admission.drain, args=[0.0]).start()
    expected = {"deadline": DeadlineExceeded, "gone": Cancelled, "stop": ShuttingDown}[why]
    assert isinstance(first.ended.get(timeout=WAIT), expected)
    stop.set()
    assert second.ended.get(timeout=WAIT) is None
    assert admission.counts()["dear"].begun == admission.counts()["dear"].working == 0


def test_what_waits_at_a_stop_is_told_so() -> None:
    admission = Admission(AdmissionBounds(workers=1, dear_workers=1))
    stop = threading.Event()
    blocking = blocked(admission, threading.Event(), stop)
    waiting = Caller(admission, "waiting")
    waiting.ask(busy(0))
    admission.drain(0.0)
    assert isinstance(waiting.refused.get(timeout=WAIT), ShuttingDown)
    with pytest.raises(ShuttingDown):
        admission.check_open()
    stop.set()
    assert blocking.ended.get(timeout=WAIT) is None
