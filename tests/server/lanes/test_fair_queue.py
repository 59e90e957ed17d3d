"""The order of turns: against a model, and its promises."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from server.lanes.fair_queue import FairQueue


@dataclass(eq=False)
class Item:
    """Something that waits."""

    caller: str
    number: int = 0


def taken(queue: FairQueue[Item], count: int = 10**6) -> list[Item]:
    found: list[Item] = []
    while len(found) < count and (item := queue.next(lambda caller: True)) is not None:
        found.append(item)
    return found


def test_callers_take_turns_however_much_one_asks() -> None:
    queue: FairQueue[Item] = FairQueue()
    for number in range(1_000):
        queue.add(Item("many", number), begun=False)
    queue.add(Item("few"), begun=False)
    assert [item.caller for item in taken(queue, 2)] == ["many", "few"]
    assert [item.number for item in taken(queue)] == list(range(1, 1_000))
    assert len(queue) == 0


def test_what_has_begun_comes_before_the_same_callers_others() -> None:
    queue: FairQueue[Item] = FairQueue()
    new, begun = Item("a"), Item("a")
    queue.add(new, begun=False)
    queue.add(begun, begun=True)
    assert taken(queue) == [begun, new]


def test_a_caller_that_may_not_begin_keeps_nobody_waiting() -> None:
    queue: FairQueue[Item] = FairQueue()
    first, second = Item("a"), Item("b")
    queue.add(first, begun=False)
    queue.add(second, begun=False)
    assert queue.next(lambda caller: caller != "a") is second
    assert queue.next(lambda caller: caller != "a") is None
    assert queue.next(lambda caller: True) is first


def test_the_last_of_the_longest_goes_when_there_is_no_room() -> None:
    queue: FairQueue[Item] = FairQueue()
    items = [Item("many", number) for number in range(5)]
    for item in items:
        queue.add(item, begun=False)
    assert queue.take_from_longest("many") is None
    assert queue.take_from_longest("few") is items[4]
    assert len(queue) == 4


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans(), st.integers(0, 3)), max_size=40))
def test_nothing_is_lost_or_doubled(steps: list[tuple[str, bool, int]]) -> None:
    """Whatever is added, removed and taken: each item comes out once, a caller's new ones in order."""
    queue: FairQueue[Item] = FairQueue()
    waiting: list[Item] = []
    out: list[Item] = []
    for number, (caller, begun, action) in enumerate(steps):
        if action == 0 and waiting:
            gone = waiting.pop()
            assert queue.remove(gone)
            assert not queue.remove(gone)
        elif action == 1:
            out += (item := taken(queue, 1))
            waiting = [each for each in waiting if each not in item]
        else:
            item = [Item(caller, number)]
            queue.add(item[0], begun=begun)
            waiting += item
        assert len(queue) == len(waiting)
    last = taken(queue)
    assert set(map(id, last)) == set(map(id, waiting))
    assert len(set(map(id, out + last))) == len(out + last)
