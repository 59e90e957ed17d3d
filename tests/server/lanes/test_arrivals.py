"""How many messages of one caller are received at a time, and what becomes of calls that wait or take too long."""

from dataclasses import dataclass

import pytest

from server.lanes import arrivals
from server.lanes.arrivals import MAX_RECEIVING, Arrivals


@dataclass(eq=False)
class Call:
    """A call that notes what is asked of it."""

    is_over: bool = False
    received: int = 0
    given_up: int = 0

    def receive(self) -> bool:
        self.received += not self.is_over
        return not self.is_over

    def give_up(self) -> None:
        self.given_up += 1


def started(all_arrivals: Arrivals, caller: str, count: int) -> list[Call]:
    calls = [Call() for _ in range(count)]
    for call in calls:
        all_arrivals.start(caller, call)
    return calls


def test_calls_wait_in_order_and_other_callers_do_not() -> None:
    waiting = Arrivals()
    calls = started(waiting, "a", MAX_RECEIVING + 3)
    assert [call.received for call in calls] == [1] * MAX_RECEIVING + [0] * 3
    assert started(waiting, "b", 1)[0].received == 1
    waiting.ended("a", calls[5])
    waiting.ended("a", calls[5])
    assert [call.received for call in calls[-3:]] == [1, 0, 0]


def test_a_call_that_is_over_is_passed_by() -> None:
    waiting = Arrivals()
    calls = started(waiting, "a", MAX_RECEIVING + 3)
    calls[-3].is_over = True
    waiting.ended("a", calls[-2])
    waiting.ended("a", calls[0])
    assert [call.received for call in calls[-3:]] == [0, 0, 1]


def test_nothing_is_kept_of_calls_that_ended() -> None:
    waiting = Arrivals()
    for call in started(waiting, "a", 3 * MAX_RECEIVING):
        waiting.ended("a", call)
    assert not waiting._receiving
    assert not waiting._waiting


def test_one_that_takes_too_long_is_given_up_when_another_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = Arrivals()
    calls = started(waiting, "a", MAX_RECEIVING)
    monkeypatch.setattr(arrivals, "MAX_MESSAGE_SECONDS", -1.0)
    assert sum(call.given_up for call in calls) == 0
    started(waiting, "a", 1)
    assert [call.given_up for call in calls] == [1] + [0] * (MAX_RECEIVING - 1)
