"""Which builds may begin beside others: what is verified passes, and no large build waits for ever."""

from dataclasses import dataclass
from random import Random

from storage.maintenance.attempts import WorkKey
from storage.maintenance.build_memory import BuildMemory
from storage.schema import DenseSpace
from storage.segments import TaskKind, Work

SPACE = DenseSpace(size=8)


def key(number: int, collection: str = "c") -> WorkKey:
    return WorkKey(collection, Work(1, TaskKind.BUILD, (number,)), SPACE, None)


def test_without_a_bound_all_may_begin() -> None:
    memory = BuildMemory(None)
    assert memory.may_begin(key(1), 10**15, 10**15)


def test_what_runs_alone_may_take_what_it_needs() -> None:
    assert BuildMemory(100).may_begin(key(1), 1_000, 0)


def test_together_they_take_at_most_the_maximum() -> None:
    memory = BuildMemory(100)
    assert memory.may_begin(key(1), 40, 60)
    assert not memory.may_begin(key(2), 41, 60)


def test_small_builds_do_not_pass_a_large_one_that_waits() -> None:
    memory = BuildMemory(100)
    assert not memory.may_begin(key(1), 80, 30)
    assert not memory.may_begin(key(2, "other"), 10, 30)
    assert memory.may_begin(key(1), 80, 20)
    assert memory.may_begin(key(2, "other"), 10, 20)


def test_what_needs_no_memory_passes() -> None:
    memory = BuildMemory(100)
    assert not memory.may_begin(key(1), 80, 30)
    assert memory.may_begin(key(2), 0, 100)
    assert memory.waiting == key(1)


def test_work_that_is_not_due_any_more_waits_no_longer() -> None:
    memory = BuildMemory(100)
    assert not memory.may_begin(key(1), 80, 30)
    memory.keep_waiting("other", set())
    assert memory.waiting == key(1)
    memory.keep_waiting("c", {key(1)})
    assert memory.waiting == key(1)
    memory.keep_waiting("c", {key(2)})
    assert memory.may_begin(key(3), 10, 30)


@dataclass
class _Build:
    key: WorkKey
    memory: int
    left: int


def test_every_build_begins_some_time_however_many_others_come() -> None:
    """Small builds come all the time, more than there is room for; each large one begins before long."""
    random = Random(4)
    memory, running = BuildMemory(100), list[_Build]()
    waiting, begun = [_Build(key(0, "large"), 90, 3)], set[WorkKey]()
    for step in range(1, 200):
        waiting.append(_Build(key(step, f"small{step}"), random.randint(20, 50), random.randint(1, 4)))
        for build in random.sample(waiting, len(waiting)):
            if memory.may_begin(build.key, build.memory, sum(each.memory for each in running)):
                waiting.remove(build)
                running.append(build)
                begun.add(build.key)
        assert sum(each.memory for each in running) <= 100
        for build in running:
            build.left -= 1
        running = [build for build in running if build.left > 0]
        if key(0, "large") in begun:
            return
    raise AssertionError("the large build never began")
