"""Decides which background work is due: pure functions of facts about the blocks of a space.

A graph is built once and never changed. So segments are merged as in a log-structured merge tree: full tails become
segments, adjacent segments of about one size are merged, and a segment with many dead rows is written anew.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import Enum

from storage.schema import CollectionSchema, DenseSpace, IndexKind
from storage.segments.block import BlockView
from storage.segments.segment import is_current, wants_index
from storage.segments.space import SpaceView

VACUUM_SHARE = 0.2
"""From this share of dead rows on, a block is written anew."""

MERGE_WIDTH = 4
"""Adjacent segments of one tier that are merged. A tier holds segments of up to MERGE_WIDTH times the size of the tier
below."""

INDEXED_ROWS = 1_000
"""From so many rows on, a space of kind HNSW or IVF gets an index, whatever the indexing threshold."""

MAX_SEGMENT_ROWS = 4_000_000
"""Segments are not merged beyond so many rows: building such a graph takes hours and much memory."""


class TaskKind(Enum):
    BUILD = "build"
    MERGE = "merge"
    VACUUM = "vacuum"
    REBUILD = "rebuild"


@dataclass(frozen=True, slots=True)
class Work:
    """A task on the adjacent blocks `blocks` (uids) of a space."""

    space_uid: int
    kind: TaskKind
    blocks: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class BlockFacts:
    """What the policy looks at. `index` None: it has none that is verified; else whether that has the space's settings.

    `unverified`: the manifest names an index, which is verified, or else built again, before anything else is done.
    """

    uid: int
    count: int
    dead: int
    index: bool | None
    unverified: bool = False

    @property
    def alive(self) -> int:
        return self.count - self.dead


def seal_threshold(collection: CollectionSchema, space: DenseSpace) -> int:
    """Rows at which the open block of a space is sealed."""
    if space.index in (IndexKind.HNSW, IndexKind.IVF) and wants_index(space):
        return min(INDEXED_ROWS, collection.indexing_threshold)
    return collection.indexing_threshold


def facts_of(space: SpaceView) -> list[BlockFacts]:
    """Facts of the sealed blocks of a space, in row order."""
    return [
        BlockFacts(
            entry.uid,
            view.count,
            view.block.deaths,
            index=_is_current(space, number) if _is_verified(view) else None,
            unverified=entry.index is not None and not _is_verified(view),
        )
        for number, (entry, view) in enumerate(zip(space.manifest.blocks, space.blocks, strict=True))
        if entry.end_row is not None
    ]


def due(space: SpaceView, threshold: int, busy: Collection[int] = (), most: int = MAX_SEGMENT_ROWS) -> list[Work]:
    """The work that is due in a space, most urgent first, without work on the blocks `busy`.

    `most`: blocks are not merged beyond so many rows.
    """
    uid = space.schema.uid
    return due_for(uid, facts_of(space), threshold, graphs=wants_index(space.schema), busy=busy, most=most)


def due_for(
    uid: int,
    facts: Sequence[BlockFacts],
    threshold: int,
    *,
    graphs: bool,
    busy: Collection[int] = (),
    most: int = MAX_SEGMENT_ROWS,
) -> list[Work]:
    """The work that is due in the space `uid`. `facts`: of its sealed blocks, in row order.

    `threshold`: rows of a freshly sealed block, the size of the lowest tier. `graphs`: whether the space gets indexes.
    """
    work = []
    for run in _free_runs(facts, busy):
        blocks = _vacuum(run)
        work += [Work(uid, TaskKind.VACUUM, (block.uid,)) for block in blocks]
        rest = [block for block in run if block not in blocks]
        if graphs:
            work += [
                Work(uid, TaskKind.BUILD if len(part) == 1 else TaskKind.MERGE, tuple(block.uid for block in part))
                for part in _without_index(run, blocks, most)
            ]
        work += [
            Work(uid, TaskKind.MERGE, tuple(b.uid for b in part))
            for part in _tiers(run, blocks, threshold, graphs, most)
        ]
        work += [Work(uid, TaskKind.REBUILD, (block.uid,)) for block in rest if block.index is False]
    return work


def is_verification(space: SpaceView, work: Work) -> bool:
    """Whether `work` only verifies an existing index, so that it can serve."""
    return work.kind is TaskKind.BUILD and all(
        entry.index is not None for entry in space.manifest.blocks if entry.uid in work.blocks
    )


def _is_verified(block: BlockView) -> bool:
    """Whether an index serves that is known to be as it was built."""
    return block.index is not None and block.index.verified


def _is_current(space: SpaceView, number: int) -> bool:
    index = space.manifest.blocks[number].index
    return index is not None and is_current(index, space.schema, space.manifest.partition)


def _free_runs(facts: Sequence[BlockFacts], busy: Collection[int]) -> list[list[BlockFacts]]:
    """Runs of adjacent blocks that no job works on."""
    runs: list[list[BlockFacts]] = [[]]
    for block in facts:
        if block.uid in busy:
            runs.append([])
        else:
            runs[-1].append(block)
    return [run for run in runs if run]


def _vacuum(run: Sequence[BlockFacts]) -> list[BlockFacts]:
    return [block for block in run if block.dead and block.dead >= VACUUM_SHARE * block.count]


def _without_index(run: Sequence[BlockFacts], skip: Collection[BlockFacts], most: int) -> list[list[BlockFacts]]:
    """Groups of adjacent blocks without an index: one index for a group is cheaper than one each and a merge later.

    An index that must only be verified is a group of its own.
    """
    alone = [[block] for block in run if block.unverified and block not in skip]
    return alone + _grouped(run, lambda block: block.index is None and not block.unverified and block not in skip, most)


def _tiers(
    run: Sequence[BlockFacts], skip: Collection[BlockFacts], threshold: int, graphs: bool, most: int
) -> list[list[BlockFacts]]:
    """Runs of at least MERGE_WIDTH adjacent blocks up to one tier, whose merge belongs to a higher tier.

    So each row is copied about once per tier, not each time that small segments appear beside it.
    """
    parts: list[list[BlockFacts]] = []
    for tier in sorted({_tier(block, threshold) for block in run}):
        ready = _grouped(
            run,
            lambda block, tier=tier: (  # type: ignore[misc]
                block not in skip and _tier(block, threshold) <= tier and (block.index is not None or not graphs)
            ),
            most,
        )
        parts += [
            part
            for part in ready
            if len(part) >= MERGE_WIDTH
            and (tier == 0 or sum(block.alive for block in part) > threshold * MERGE_WIDTH**tier)
            and not any(block in other for other in parts for block in part)
        ]
    return parts


def _tier(block: BlockFacts, threshold: int) -> int:
    tier, size = 0, threshold
    while block.alive > size:
        tier, size = tier + 1, size * MERGE_WIDTH
    return tier


def _grouped(run: Sequence[BlockFacts], wanted: Callable[[BlockFacts], bool], most: int) -> list[list[BlockFacts]]:
    """The largest groups of adjacent wanted blocks. A group of two or more has at most `most` living rows."""
    groups: list[list[BlockFacts]] = [[]]
    for block in run:
        if not wanted(block):
            groups.append([])
        elif groups[-1] and sum(one.alive for one in groups[-1]) + block.alive > most:
            groups.append([block])
        else:
            groups[-1].append(block)
    return [group for group in groups if group]
