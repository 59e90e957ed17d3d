"""What background work is due: single decisions, and whole simulated lives of a space, which must come to rest."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.segments.policy import MAX_SEGMENT_ROWS, MERGE_WIDTH, VACUUM_SHARE, BlockFacts, TaskKind, Work, due_for

THRESHOLD = 20_000
BUILD, MERGE, VACUUM, REBUILD = TaskKind.BUILD, TaskKind.MERGE, TaskKind.VACUUM, TaskKind.REBUILD


def _block(uid: int, count: int = THRESHOLD, dead: int = 0, index: bool | None = True) -> BlockFacts:
    return BlockFacts(uid, count, dead, index)


def _due(*facts: BlockFacts, graphs: bool = True, busy: Sequence[int] = ()) -> list[tuple[TaskKind, tuple[int, ...]]]:
    return [(work.kind, work.blocks) for work in due_for(7, facts, THRESHOLD, graphs=graphs, busy=busy)]


# -- single decisions


def test_nothing_is_due_where_all_is_well() -> None:
    assert _due() == []
    assert _due(_block(1), _block(2), _block(3)) == []
    assert _due(_block(1, index=None), graphs=False) == []


def test_a_sealed_block_gets_a_graph() -> None:
    assert _due(_block(1, index=None)) == [(BUILD, (1,))]
    assert _due(_block(1), _block(2, index=None)) == [(BUILD, (2,))]


def test_neighbours_without_a_graph_get_one_together() -> None:
    assert _due(_block(1, index=None), _block(2, index=None)) == [(MERGE, (1, 2))]
    assert _due(_block(1, index=None), _block(2), _block(3, index=None)) == [(BUILD, (1,)), (BUILD, (3,))]


def test_a_graph_that_is_only_unverified_is_not_built_anew_with_its_neighbours() -> None:
    """After opening large segments wait to be verified; merging them would throw hours of building away."""
    unverified = [BlockFacts(uid, 1_000_000, 0, None, unverified=True) for uid in (1, 2)]
    assert _due(*unverified, _block(3, index=None)) == [(BUILD, (1,)), (BUILD, (2,)), (BUILD, (3,))]
    assert _due(BlockFacts(1, 100, 50, None, unverified=True)) == [(VACUUM, (1,))]


@pytest.mark.parametrize(
    ("dead", "expected"), [(0, []), (3_999, []), (4_000, [(VACUUM, (1,))]), (20_000, [(VACUUM, (1,))])]
)
@pytest.mark.parametrize("graphs", [True, False])
def test_a_fifth_of_dead_rows_is_vacuumed(dead: int, expected: list[object], graphs: bool) -> None:
    assert _due(_block(1, dead=dead, index=graphs or None), graphs=graphs) == expected


def test_four_neighbours_of_one_tier_are_merged() -> None:
    assert _due(*(_block(uid) for uid in (1, 2, 3, 4))) == [(MERGE, (1, 2, 3, 4))]
    assert _due(*(_block(uid, index=None) for uid in (1, 2, 3, 4)), graphs=False) == [(MERGE, (1, 2, 3, 4))]


def test_a_large_segment_is_not_copied_for_a_few_small_neighbours() -> None:
    large = _block(1, 10 * THRESHOLD)
    assert _due(large, _block(2), _block(3), _block(4)) == []
    assert _due(large, *(_block(uid) for uid in (2, 3, 4, 5))) == [(MERGE, (2, 3, 4, 5))]


def test_segments_that_shrank_are_merged_however_small() -> None:
    assert _due(*(_block(uid, 10, dead=1) for uid in range(1, 6))) == [(MERGE, (1, 2, 3, 4, 5))]


def test_segments_stop_growing_at_a_size_that_can_still_be_built() -> None:
    half = MAX_SEGMENT_ROWS // 2
    assert _due(*(_block(uid, half) for uid in range(1, 9))) == []
    parts = _due(*(_block(uid, half, index=None) for uid in range(1, 6)))
    assert parts == [(MERGE, (1, 2)), (MERGE, (3, 4)), (BUILD, (5,))]


def test_a_graph_of_other_settings_is_rebuilt() -> None:
    assert _due(_block(1, index=False), _block(2)) == [(REBUILD, (1,))]
    assert _due(_block(1, dead=THRESHOLD, index=False)) == [(VACUUM, (1,))]


def test_busy_blocks_are_left_alone_and_part_their_neighbours() -> None:
    assert _due(*(_block(uid, index=None) for uid in (1, 2, 3)), busy=[2]) == [(BUILD, (1,)), (BUILD, (3,))]
    assert _due(*(_block(uid) for uid in range(1, 6)), busy=[3]) == []
    assert _due(_block(1, dead=THRESHOLD), busy=[1]) == []


# -- whole lives

EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(1, 60_000)),
        st.tuples(st.just("delete"), st.integers(0, 99), st.sampled_from([0.01, 0.1, 0.25, 0.5, 1.0])),
        st.tuples(st.just("lose a graph"), st.integers(0, 99)),
        st.tuples(st.just("settings"), st.integers(0, 99)),
        st.tuples(st.just("start"), st.integers(0, 99)),
        st.tuples(st.just("end"), st.integers(0, 99)),
    ),
    max_size=80,
)


@dataclass(slots=True)
class Life:
    """A space as the policy sees it. `running`: work that was begun and not ended."""

    graphs: bool = True
    tail: int = 0
    copied: int = 0
    next_uid: int = 1
    blocks: list[BlockFacts] = field(default_factory=list)
    running: list[Work] = field(default_factory=list)

    def append(self, rows: int) -> None:
        self.tail += rows
        if self.tail >= THRESHOLD:
            self._new(len(self.blocks), self.tail)
            self.tail = 0

    def change(self, number: int, **changes: object) -> None:
        if self.blocks:
            number %= len(self.blocks)
            self.blocks[number] = replace(self.blocks[number], **changes)  # type: ignore[arg-type]

    def delete(self, number: int, share: float) -> None:
        if self.blocks:
            block = self.blocks[number % len(self.blocks)]
            self.change(number, dead=block.dead + int(share * block.alive))

    def due(self) -> list[Work]:
        return due_for(7, self.blocks, THRESHOLD, graphs=self.graphs, busy=self.busy())

    def busy(self) -> set[int]:
        return {uid for work in self.running for uid in work.blocks}

    def start(self, choice: int = 0) -> bool:
        works = self.due()
        if works:
            work = works[choice % len(works)]
            self._assert_sensible(work)
            self.running.append(work)
        return bool(works)

    def end(self, choice: int = 0) -> None:
        if not self.running:
            return
        work = self.running.pop(choice % len(self.running))
        first = next(number for number, block in enumerate(self.blocks) if block.uid in work.blocks)
        taken = self.blocks[first : first + len(work.blocks)]
        assert tuple(block.uid for block in taken) == work.blocks, "a task needs neighbours"
        if work.kind in (BUILD, REBUILD):
            self.blocks[first] = replace(taken[0], index=True)
            return
        del self.blocks[first : first + len(work.blocks)]
        alive = sum(block.alive for block in taken)
        self.copied += alive
        if alive:
            self._new(first, alive, index=self.graphs or None)

    def settle(self) -> None:
        """Lets all work run, several at once, until none is due."""
        for _ in range(10_000):
            while len(self.running) < 3 and self.start():
                pass
            if not self.running:
                return
            self.end()
        raise AssertionError("the work never ends")

    def _new(self, at: int, count: int, index: bool | None = None) -> None:
        self.blocks.insert(at, BlockFacts(self.next_uid, count, 0, index))
        self.next_uid += 1

    def _assert_sensible(self, work: Work) -> None:
        assert work.space_uid == 7
        assert work.blocks
        assert len(work.blocks) == 1 or work.kind is MERGE
        assert not self.busy().intersection(work.blocks), "two tasks on one block"
        uids = [block.uid for block in self.blocks]
        first = uids.index(work.blocks[0])
        assert tuple(uids[first : first + len(work.blocks)]) == work.blocks, "blocks that are no neighbours"
        assert self.graphs or work.kind in (MERGE, VACUUM), "a graph nobody wants"


@given(EVENTS, st.booleans())
def test_every_life_comes_to_rest_in_order(
    events: list[tuple[str, int] | tuple[str, int, float]], graphs: bool
) -> None:
    life = Life(graphs)
    for event in events:
        match event:
            case ("append", rows):
                life.append(rows)
            case ("delete", number, share):
                life.delete(number, share)
            case ("lose a graph", number):
                life.change(number, index=None)
            case ("settings", number):
                life.change(number, index=False if graphs else None)
            case ("start", choice):
                life.start(choice)
            case ("end", choice):
                life.end(choice)
    life.settle()
    assert life.due() == []
    assert all(block.dead < VACUUM_SHARE * block.count or not block.dead for block in life.blocks)
    assert all(block.index is (True if graphs else None) for block in life.blocks)
    small = [block for block in life.blocks if block.alive <= THRESHOLD]
    assert len(small) <= (MERGE_WIDTH - 1) * (len(life.blocks) - len(small) + 1)


@pytest.mark.parametrize("graphs", [True, False])
@pytest.mark.parametrize("batch", [500, 999, 20_000, 30_000])
def test_a_million_rows_end_in_few_segments_at_a_bounded_price(batch: int, graphs: bool) -> None:
    """Each row is copied about once per tier (there are four); copying all for every few blocks would cost tenfold."""
    life = Life(graphs)
    for _ in range(1_000_000 // batch):
        life.append(batch)
        life.settle()
        assert len(life.blocks) <= 8
    assert life.copied <= 4 * 1_000_000


def test_rows_that_come_faster_than_graphs_are_built_together() -> None:
    life = Life()
    life.append(THRESHOLD)
    life.start()
    for _ in range(49):
        life.append(THRESHOLD)
    life.end()
    life.settle()
    assert len(life.blocks) <= 2
    assert life.copied <= 2 * 1_000_000


def test_churn_keeps_space_bounded() -> None:
    """Half of everything is deleted and written again, many times."""
    life = Life()
    life.append(200_000)
    for _ in range(30):
        for number in range(len(life.blocks)):
            life.delete(number, 0.5)
        life.append(100_000)
        life.settle()
    assert sum(block.count for block in life.blocks) <= 200_000 / (1 - VACUUM_SHARE)
    assert len(life.blocks) <= 8


def test_no_more_is_brought_together_than_a_build_has_memory_for() -> None:
    blocks = [_block(uid, index=None) for uid in range(5)]
    work = due_for(7, blocks, THRESHOLD, graphs=True, most=2 * THRESHOLD)
    assert [(each.kind, each.blocks) for each in work] == [(MERGE, (0, 1)), (MERGE, (2, 3)), (BUILD, (4,))]
    work = due_for(7, blocks, THRESHOLD, graphs=True, most=1)
    assert [(each.kind, each.blocks) for each in work] == [(BUILD, (uid,)) for uid in range(5)]
