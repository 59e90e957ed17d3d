"""A keeper has one thread make what others wait for, keeps it from commit to commit, and stays within its bound."""

import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from storage.budget import UNLIMITED, Budget
from storage.derived import Keeper, few_changes
from storage.errors import Cancelled, DeadlineExceeded

WHOLE = 3
"""Steps that make a value whole."""


@dataclass
class Made:
    """A value of a commit. `origin`: the commit as of which it was made anew."""

    seq: int
    origin: int
    bytes: int
    steps: int


def _nothing() -> None:
    pass


@dataclass(frozen=True)
class Steps:
    """Makes values in WHOLE steps, before each of which `before_step` is called, and notes what it does.

    `before_read` is called before a file is read.
    """

    seq: int
    budget: Budget = UNLIMITED
    size: int = 1
    reach: int = 100
    """An update spans at most so many commits."""
    file: Mapping[str, Made] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    before_step: Callable[[], None] = _nothing
    before_read: Callable[[], None] = _nothing

    def stored(self, key: str) -> Made | None:
        self.before_read()
        self.done.append(f"read {key}")
        return self.file.get(key)

    def updated(self, key: str, value: Made) -> Made | None:
        if abs(value.seq - self.seq) > self.reach:
            return None
        self.done.append(f"update {key}")
        return replace(value, seq=self.seq)

    def completed(self, values: Mapping[str, Made | None]) -> Iterator[tuple[str, Made]]:
        missing = [key for key, value in values.items() if value is None or value.steps < WHOLE]
        if missing:
            self.done.append("make " + " ".join(missing))
        for key in missing:
            value = values[key] or Made(self.seq, self.seq, self.size, 0)
            while value.steps < WHOLE:
                self.before_step()
                value = replace(value, steps=value.steps + 1)
                yield key, value


def test_a_value_is_made_once_and_follows_the_commits() -> None:
    keeper, done = Keeper[str, Made](), list[str]()
    first = keeper.get("a", Steps(1, done=done))
    assert keeper.get("a", Steps(1, done=done)) is first
    assert keeper.get("a", Steps(2, done=done)) == Made(2, 1, 1, WHOLE)
    assert done == ["read a", "make a", "update a"]


def test_a_file_is_read_once_and_what_it_lacks_is_made() -> None:
    keeper, done = Keeper[str, Made](), list[str]()
    file = {"a": Made(1, 1, 1, 2)}
    assert keeper.get("a", Steps(4, file=file, done=done)) == Made(4, 1, 1, WHOLE)
    assert keeper.get("a", Steps(9, file=file, reach=1, done=done)) == Made(9, 9, 1, WHOLE)
    assert done == ["read a", "update a", "make a", "make a"]


def test_older_commits_are_served_from_recent_states_and_change_nothing_newer() -> None:
    keeper, done = Keeper[str, Made](states=3), list[str]()
    states = [keeper.get("a", Steps(seq)) for seq in range(1, 6)]
    for seq in (5, 4, 3):
        assert keeper.get("a", Steps(seq, done=done)) is states[seq - 1]
    assert done == []
    assert keeper.get("a", Steps(1, done=done)) == states[0]
    assert done == ["update a"]
    assert keeper.known("a") is states[4]


def test_what_is_made_anew_for_an_older_commit_does_not_replace_what_is_newer() -> None:
    keeper = Keeper[str, Made](states=3)
    newest = keeper.get("a", Steps(9))
    assert keeper.get("a", Steps(2, reach=1)) == Made(2, 2, 1, WHOLE)
    assert keeper.known("a") is newest
    done: list[str] = []
    assert keeper.get("a", Steps(9, done=done)) is newest
    assert done == []


def test_older_states_go_when_a_value_is_made_anew() -> None:
    """What they share with each other, such as a vocabulary, they do not share with the new one."""
    keeper, done = Keeper[str, Made](states=3), list[str]()
    keeper.get("a", Steps(1))
    keeper.get("a", Steps(9, reach=1))
    keeper.get("a", Steps(1, done=done))
    assert done == ["update a"]


@pytest.mark.parametrize("next_seq", [1, 4, 0])
def test_what_was_done_before_the_time_ran_out_is_kept(next_seq: int) -> None:
    """Also for a commit before: what was begun is worth more than that it is of a later commit."""
    keeper, steps = Keeper[str, Made](), iter(range(2))

    def run_out() -> None:
        if next(steps, None) is None:
            raise DeadlineExceeded

    with pytest.raises(DeadlineExceeded):
        keeper.get("a", Steps(1, before_step=run_out))
    assert keeper.known("a") == Made(1, 1, 1, 2)
    left: list[int] = []
    keeper.get("a", Steps(next_seq, before_step=lambda: left.append(1)))
    assert (len(left), keeper.known("a")) == (1, Made(next_seq, 1, 1, WHOLE))


def test_the_least_recently_used_go_first() -> None:
    keeper = Keeper[str, Made](10, lambda made: made.bytes)
    for key in "abc":
        keeper.get(key, Steps(1, size=3))
    keeper.get("a", Steps(2))
    keeper.get("d", Steps(2, size=3))
    assert sorted(key for key, _ in keeper.items()) == ["a", "c", "d"]
    assert keeper.used == 9


def test_there_is_a_bound_of_keys_besides() -> None:
    keeper = Keeper[str, Made](most=2)
    for key in "abc":
        keeper.get(key, Steps(1))
    assert [key for key, _ in keeper.items()] == ["b", "c"]


def test_one_that_nobody_can_do_without_is_kept_however_large_until_another_is_used() -> None:
    keeper = Keeper[str, Made](10, lambda made: made.bytes)
    large = keeper.get("a", Steps(1, size=99))
    assert keeper.get("a", Steps(1)) is large
    keeper.get("b", Steps(1))
    assert (keeper.known("a"), keeper.used) == (None, 1)


def test_one_that_does_not_fit_is_not_kept_and_not_made_again_for_who_can_do_without() -> None:
    keeper, done = Keeper[str, Made](10, lambda made: made.bytes), list[str]()
    assert keeper.find("a", Steps(1, size=99, done=done)) == Made(1, 1, 99, WHOLE)
    assert keeper.find("a", Steps(1, size=99, done=done)) is None
    keeper.get("b", Steps(1, size=10))
    keeper.get("c", Steps(1, size=10))
    assert keeper.find("a", Steps(1, size=99, done=done)) is None
    assert done == ["read a", "make a"]


def test_one_that_grows_by_its_use_makes_room_or_goes() -> None:
    keeper = Keeper[str, Made](10, lambda made: made.bytes)
    keeper.find("a", Steps(1, size=4))
    grows = keeper.find("b", Steps(1, size=4))
    assert grows is not None
    grows.bytes = 8
    keeper.fit("b")
    assert [key for key, _ in keeper.items()] == ["b"]
    grows.bytes = 11
    keeper.fit("b")
    assert (keeper.find("b", Steps(1)), keeper.used) == (None, 0)


def test_who_can_do_without_has_it_made_after_some_patience() -> None:
    keeper, done = Keeper[str, Made](), list[str]()
    assert [keeper.find("a", Steps(1, done=done), patience=2) is None for _ in range(4)] == [True, True, False, False]
    assert done == ["read a", "make a"]


def test_who_can_do_without_gets_what_a_file_has_at_once() -> None:
    keeper = Keeper[str, Made]()
    assert keeper.find("a", Steps(3, file={"a": Made(1, 1, 1, WHOLE)}), patience=9) == Made(3, 1, 1, WHOLE)


def test_who_can_do_without_gets_none_of_an_older_commit() -> None:
    keeper, done = Keeper[str, Made](states=1), list[str]()
    keeper.find("a", Steps(5))
    assert keeper.find("a", Steps(4, done=done)) is None
    assert done == []


def test_several_are_made_in_one_pass_and_those_of_later_commits_are_left() -> None:
    keeper, done = Keeper[str, Made](), list[str]()
    keeper.get("late", Steps(9))
    keeper.get("old", Steps(1))
    file = {"stored": Made(2, 2, 1, WHOLE)}
    found = keeper.find_all(["a", "b", "late", "old", "stored"], Steps(3, file=file, done=done))
    assert {key: value.origin for key, value in found.items()} == {"a": 3, "b": 3, "old": 1, "stored": 2}
    assert done == ["read a", "read b", "read stored", "update old", "update stored", "make a b"]


def test_several_that_are_made_in_one_pass_are_bounded_too() -> None:
    keeper = Keeper[str, Made](10, lambda made: made.bytes)
    assert set(keeper.find_all(["a", "b"], Steps(1, size=6))) == {"a", "b"}
    assert [key for key, _ in keeper.items()] == ["b"]
    assert keeper.find_all(["c"], Steps(1, size=11))
    assert (keeper.known("c"), keeper.used) == (None, 6)


class Held:
    """A step that waits until it is let go, and a thread in which a value is made meanwhile."""

    def __init__(self, work: Callable[[Callable[[], None]], object]) -> None:
        self._reached, self._go = threading.Event(), threading.Event()
        self._pool = ThreadPoolExecutor(1)
        self._future = self._pool.submit(work, self._wait)

    def __enter__(self) -> "Held":
        assert self._reached.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self.let_go()

    def let_go(self) -> object:
        self._go.set()
        try:
            return self._future.result(30)
        finally:
            self._pool.shutdown()

    def _wait(self) -> None:
        self._reached.set()
        assert self._go.wait(30)


def test_who_can_do_without_does_not_wait_while_another_thread_makes_it() -> None:
    keeper = Keeper[str, Made]()
    with Held(lambda wait: keeper.get("a", Steps(1, before_step=wait))):
        assert keeper.is_busy("a")
        assert keeper.find("a", Steps(1)) is None
        assert keeper.find("b", Steps(1)) is not None
    assert not keeper.is_busy("a")
    assert keeper.find("a", Steps(1)) == Made(1, 1, 1, WHOLE)


def test_who_waits_sees_its_own_end() -> None:
    keeper = Keeper[str, Made]()
    with Held(lambda wait: keeper.get("a", Steps(1, before_step=wait))):
        for ask in (keeper.get, lambda key, maker: keeper.find_all([key], maker)):
            with pytest.raises(DeadlineExceeded):
                ask("a", Steps(1, Budget.of_seconds(0)))
            with pytest.raises(Cancelled):
                ask("a", Steps(1, Budget(is_cancelled=lambda: True)))


def test_many_who_wait_have_one_made() -> None:
    keeper, done = Keeper[str, Made](), list[str]()
    with ThreadPoolExecutor(4) as pool:
        with Held(lambda wait: keeper.get("a", Steps(1, before_step=wait, done=done))) as held:
            others = [pool.submit(keeper.get, "a", Steps(1, done=done)) for _ in range(4)]
            made = held.let_go()
        assert all(other.result(30) is made for other in others)
    assert done == ["read a", "make a"]


def test_many_who_wait_for_an_older_commit_have_one_made() -> None:
    keeper, done = Keeper[str, Made](states=2), list[str]()
    keeper.get("a", Steps(9))
    with ThreadPoolExecutor(4) as pool:
        with Held(lambda wait: keeper.get("a", Steps(2, reach=1, before_step=wait, done=done))) as held:
            others = [pool.submit(keeper.get, "a", Steps(2, reach=1, done=done)) for _ in range(4)]
            made = held.let_go()
        assert all(other.result(30) is made for other in others)
    assert done == ["make a"]


def test_who_can_do_without_waits_while_a_file_is_read_within_its_budget() -> None:
    keeper, file = Keeper[str, Made](), {"a": Made(1, 1, 1, WHOLE)}
    with ThreadPoolExecutor(1) as pool:
        with Held(lambda wait: keeper.find("a", Steps(1, file=file, before_read=wait))) as held:
            with pytest.raises(DeadlineExceeded):
                keeper.find("a", Steps(1, Budget.of_seconds(0)))
            other = pool.submit(keeper.find, "a", Steps(1), patience=9)
            read = held.let_go()
        assert other.result(30) is read
    assert read is file["a"]


def test_another_keeper_takes_over_what_is_being_made() -> None:
    """It is not measured by the bound that it was begun under."""
    bounded, unbounded = Keeper[str, Made](10, lambda made: made.bytes), Keeper[str, Made]()
    with Held(lambda wait: bounded.find("a", Steps(1, size=99, before_step=wait))) as held:
        unbounded.take_over("a", bounded)
        assert unbounded.is_busy("a")
        made = held.let_go()
    assert unbounded.known("a") is made
    assert (bounded.known("a"), bounded.used) == (None, 0)


def test_what_did_not_fit_is_made_once_there_is_no_bound() -> None:
    bounded, unbounded = Keeper[str, Made](10, lambda made: made.bytes), Keeper[str, Made]()
    bounded.find("a", Steps(1, size=99))
    unbounded.take_over("a", bounded)
    assert unbounded.find("a", Steps(1, size=99)) == Made(1, 1, 99, WHOLE)
    bounded.get("a", Steps(2))
    unbounded.take_over("a", bounded)
    assert unbounded.known("a") == Made(1, 1, 99, WHOLE)


def test_a_value_that_is_changed_in_place_is_used_while_nobody_changes_it() -> None:
    keeper = Keeper[str, Made](states=0)
    with keeper.held("a", Steps(1)) as value:
        assert (value.seq, keeper.is_busy("a")) == (1, True)
    assert not keeper.is_busy("a")
    assert keeper.copied("a", lambda value: (value.seq, keeper.is_busy("a"))) == (1, True)
    assert keeper.copied("b", lambda value: value.seq) is None
    keeper.forget("a".__eq__)
    assert keeper.copied("a", lambda value: value.seq) is None


def test_few_changes_are_entered_and_more_than_half_are_not() -> None:
    @dataclass(frozen=True)
    class Log:
        changed: int | None

        def catch_up(self, seq: int, held: object) -> NDArray[np.uint32] | None:
            return None if self.changed is None else np.arange(self.changed, dtype=np.uint32)

    def entered(changed: int | None, held: int, points: int) -> bool:
        return few_changes(Log(changed), 1, lambda: np.arange(held, dtype=np.uint32), points) is not None

    assert [entered(*each) for each in ((5, 0, 10), (6, 0, 10), (6, 12, 10), (6, 11, 10), (None, 99, 99))] == [
        True,
        False,
        True,
        False,
        False,
    ]
