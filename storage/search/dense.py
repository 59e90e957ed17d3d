"""Searches one space of a snapshot: chooses the rows to look at, how to find them, and the order of the answer.

Scans and graphs only find candidates, with bounds on their scores. score_rows computes every returned score from the
original vectors. So a score does not depend on how its row was found.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from storage.budget import Budget
from storage.index import Graph
from storage.ivf import Filtered, Lists
from storage.mvcc import RowsOf
from storage.search.candidates import Candidates
from storage.search.scan import scan_block, scan_codes
from storage.search.walk import Usable, Walk, scan_pays, usable_in, walk_block
from storage.segments import (
    NO_ROW,
    BlockView,
    MatchingRows,
    MatchingRowsCache,
    SegmentIndex,
    SlotSet,
    SpaceView,
    kind_of_index,
    short_warning_of,
)
from storage.vectors import IdKeys, Position, comes_after, is_coarse, rank, rescored, score_rows

VALUES_AT_ONCE = 1 << 20
"""Components of vectors that are scored at once: 4 MiB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceSearch:
    """One search of one space for the `limit` nearest rows to `vector` (float32, (size,), finite).

    allowed: the points that may be found; None: all. Searches with equal sets run together.
    filter_strategy: "auto", "pre" (scan the matching rows) or "post" (walk the graph and drop rows that do not match).
    oversampling: rows of each segment that are scored exactly, per row asked for; None: as many as the stored form
    needs.
    nprobe: nodes followed on each level of a partition; None: the setting of the space.
    rescore: False: the index's own order chooses the `limit` rows of each segment. Their scores are exact all the same.
    after: only rows strictly after this position are found, by an exact scan, since a walk cannot tell how many rows
    come before it.
    """

    space: str
    vector: NDArray[np.float32]
    limit: int
    allowed: SlotSet | None = None
    hnsw_ef: int | None = None
    exact: bool = False
    indexed_only: bool = False
    filter_strategy: str = "auto"
    rescore: bool = True
    oversampling: float | None = None
    nprobe: tuple[int, ...] | None = None
    after: Position | None = None

    @property
    def settings(self) -> tuple[object, ...]:
        """All that decides how a search runs. Searches with equal settings run together."""
        flags = (self.exact, self.after is None, self.indexed_only, self.filter_strategy, self.rescore)
        limit = None if self.allowed is None else self.limit  # only filtered searches run differently by limit
        return (self.allowed, limit, self.hnsw_ef, self.oversampling, self.nprobe, *flags)


@dataclass(frozen=True, slots=True)
class SpaceHits:
    """The hits of a search: slots (uint32) and scores (float32), best first, ties by point id; and how they were found.

    `total`: the rows that would be found without a limit; None when that is not known.
    """

    slots: NDArray[np.uint32]
    scores: NDArray[np.float32]
    strategy: str = "exact"
    reason: str = ""
    distance_computations: int = 0
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """What the searches of a group share: the space at a commit, and the rows that may be found.

    `allowed`: these rows; None: all that are alive.
    """

    view: SpaceView
    seq: int
    allowed: MatchingRows | None
    budget: Budget

    @property
    def matching(self) -> int:
        """The number of rows that may be found."""
        return self.view.vector_count if self.allowed is None else len(self.allowed.rows)


@dataclass(frozen=True, slots=True)
class _Choice:
    """How a group of searches runs: whether by the indexes of blocks, and the texts for explain."""

    graphs: bool
    strategy: str
    reason: str


def search_space(
    view: SpaceView,
    seq: int,
    searches: Sequence[SpaceSearch],
    *,
    rows_of: RowsOf,
    id_keys: IdKeys,
    cache: MatchingRowsCache,
    budget: Budget,
) -> list[SpaceHits]:
    """Answers `searches`, all on the space of `view`, in order. Searches with equal settings run together."""
    groups: dict[object, list[int]] = {}
    for number, search in enumerate(searches):
        groups.setdefault(search.settings, []).append(number)
    answers: dict[int, SpaceHits] = {}
    scopes: dict[SlotSet | None, Scope] = {}
    for numbers in groups.values():
        allowed = searches[numbers[0]].allowed
        scope = scopes.get(allowed)
        if scope is None:
            scope = scopes[allowed] = _scope(view, seq, allowed, rows_of, cache, budget)
        if scope.allowed is not None:
            scope.allowed.searches += len(numbers)
        group = [searches[number] for number in numbers]
        answers.update(zip(numbers, _search_group(scope, group, id_keys), strict=True))
    for scope in scopes.values():
        if scope.allowed is not None:
            cache.note_growth(scope.allowed)
    return [answers[number] for number in range(len(searches))]


def score_slots(
    view: SpaceView,
    slots: NDArray[np.uint32],
    vector: NDArray[np.float32],
    *,
    rows_of: RowsOf,
    id_keys: IdKeys,
    budget: Budget,
) -> SpaceHits:
    """Exact scores of those of `slots` that have a vector, best first."""
    budget.check()
    rows = rows_of(slots)
    present = rows != NO_ROW
    found = slots[present]
    scores = _scores_of(view, rows[present], vector, budget)
    best = rank(found, scores, higher_is_better=view.schema.distance.higher_is_better, id_keys=id_keys)
    return SpaceHits(found[best], scores[best], "rescore", "the candidates of the prefetches", len(found))


def _scores_of(
    view: SpaceView, rows: NDArray[np.int64], vector: NDArray[np.float32], budget: Budget
) -> NDArray[np.float32]:
    """Exact scores of rows, some at a time: a row may have 65,536 components."""
    step = max(1, VALUES_AT_ONCE // view.schema.size)
    if len(rows) <= step:
        return score_rows(view.schema.distance, vector, view.gather(rows))
    parts = []
    for start in range(0, len(rows), step):
        budget.check()
        parts.append(score_rows(view.schema.distance, vector, view.gather(rows[start : start + step])))
    return np.concatenate(parts)


def _scope(
    view: SpaceView,
    seq: int,
    allowed: SlotSet | None,
    rows_of: RowsOf,
    cache: MatchingRowsCache,
    budget: Budget,
) -> Scope:
    if allowed is None:
        return Scope(view, seq, None, budget)

    def find(slots: NDArray[np.uint32]) -> NDArray[np.int64]:
        rows = rows_of(slots)
        return np.sort(rows[rows != NO_ROW])

    return Scope(view, seq, cache.rows(allowed, view.schema.uid, seq, find), budget)


def _search_group(scope: Scope, group: Sequence[SpaceSearch], id_keys: IdKeys) -> list[SpaceHits]:
    choice = _choose(scope, group[0])
    scope.budget.check_scan(_scanned(scope, choice, group[0]))
    metric = scope.view.schema.distance
    pools = [Candidates(metric, search.vector, search.limit, _score_of(search.after)) for search in group]
    for block in scope.view.blocks:
        if choice.graphs and block.index is not None:
            _search_index(pools, block, block.index, scope, group)
        elif block.index is not None or not group[0].indexed_only:
            _scan(pools, block, scope)
    hits = []
    for pool, search in zip(pools, group, strict=True):
        scope.budget.check()
        slots, scores = pool.scored()
        if search.after is not None:
            wanted = comes_after(search.after, slots, scores, higher_is_better=metric.higher_is_better, id_keys=id_keys)
            slots, scores = slots[wanted], scores[wanted]
        best = rank(slots, scores, higher_is_better=metric.higher_is_better, id_keys=id_keys, limit=pool.limit)
        reason = f"{choice.reason}, {pool.fallbacks} scanned after all" if pool.fallbacks else choice.reason
        total = None if search.indexed_only else scope.matching
        hits.append(SpaceHits(slots[best], scores[best], choice.strategy, reason, pool.computations, total))
    return hits


def _score_of(after: Position | None) -> np.float32 | None:
    return None if after is None else after.score


def _scanned(scope: Scope, choice: _Choice, search: SpaceSearch) -> int:
    """The most rows that the search may score without an index."""
    tail = sum(
        block.count
        for block in scope.view.blocks
        if not (choice.graphs and block.index is not None) and (block.index is not None or not search.indexed_only)
    )
    return min(tail, scope.matching)


def _choose(scope: Scope, search: SpaceSearch) -> _Choice:
    """Decides between index and scan, and says why, for a group of searches like `search`."""
    indexes = [block.index for block in scope.view.blocks if block.index is not None]
    tail = sum(block.count for block in scope.view.blocks if block.index is None)
    filtered = scope.allowed is not None
    scan = "matching rows" if filtered else "exact"
    matching = f"{scope.matching:,} of {scope.view.vector_count:,} vectors match" if filtered else ""
    if search.exact:
        return _Choice(False, scan, "exact was asked for")
    if search.after is not None:
        return _Choice(False, scan, "a ranking goes on exactly")
    if not indexes:
        return _Choice(False, scan, matching or f"no graph covers the {scope.view.vector_count:,} vectors")
    if filtered and search.filter_strategy != "post":
        if search.filter_strategy == "pre":
            return _Choice(False, scan, "the pre-filter strategy was asked for")
        bound = scope.budget.max_scan
        if _scan_pays(scope, search, indexes) and (bound is None or scope.matching <= bound):
            return _Choice(False, scan, matching)
    kinds = sorted({kind_of_index(index) for index in indexes})
    strategy = "+".join(kinds if not tail or search.indexed_only else [*kinds, "tail"])
    segments = f"{len(indexes)} segment" if len(indexes) == 1 else f"{len(indexes)} segments"
    tail_reason = f"{segments} and {tail:,} tail rows" if tail else segments
    parts = (matching, tail_reason, _probed(scope, search, indexes), short_warning_of(scope.view))
    return _Choice(True, strategy, ", ".join(part for part in parts if part))


def _probed(scope: Scope, search: SpaceSearch, indexes: Sequence[SegmentIndex]) -> str:
    """The text that says how many lists of the largest segment are read."""
    lists = [index for index in indexes if isinstance(index, Lists)]
    if not lists:
        return ""
    largest = max(lists, key=lambda each: each.size)
    probed = " x ".join(map(str, largest.nprobe(_nprobe(search, scope))))
    return f"nprobe {probed} of {' x '.join(map(str, largest.partition.lists))} lists"


def _nprobe(search: SpaceSearch, scope: Scope) -> tuple[int, ...]:
    return scope.view.schema.ivf.nprobe if search.nprobe is None else search.nprobe


def _scan_pays(scope: Scope, search: SpaceSearch, indexes: Sequence[SegmentIndex]) -> bool:
    """Whether scanning the matching rows is cheaper than using the indexes.

    It compares with walks through all graphs, as if matching rows were spread evenly, and with the rows of all lists
    that a search without a filter reads.
    """
    if scope.matching == 0:
        return True
    share = min(1.0, scope.matching / scope.view.vector_count)
    steps = sum(walk_of(search, scope, graph).first_width(share) for graph in indexes if isinstance(graph, Graph))
    read = sum(lists.rows_read(_nprobe(search, scope)) for lists in indexes if isinstance(lists, Lists))
    return scope.matching <= read or scan_pays(scope.matching - read, steps)


def _scan(pools: Sequence[Candidates], block: BlockView, scope: Scope) -> None:
    """Scans the rows of a block that may be found: their codes if there are some, else the original vectors."""
    if scope.allowed is None:
        scan_block(pools, block, scope.seq, None, scope.budget)
        return
    rows, schema, coded = scope.allowed.in_block(block), scope.view.schema, None
    if scope.allowed.worth_coding(schema.size):
        coded = rows.coded(block, schema.distance, scope.budget)
    if coded is None:
        scan_block(pools, block, scope.seq, rows.positions, scope.budget)
    else:
        scan_codes(pools, block, coded, scope.budget)


def _search_index(
    pools: Sequence[Candidates], block: BlockView, index: SegmentIndex, scope: Scope, group: Sequence[SpaceSearch]
) -> None:
    """Adds the rows that the index of one segment finds. Scans the segment for searches that found too few."""
    usable = usable_in(block, scope.seq, None if scope.allowed is None else scope.allowed.in_block(block))
    if usable.count == 0:
        return
    if isinstance(index, Lists):
        short = _read_lists(pools, block, index, usable, scope, group)
    else:
        walks = [walk_of(search, scope, index) for search in group]
        short = walk_block(pools, walks, block, index, usable, scope.budget)
    for pool in short:
        pool.fallbacks += 1
    if short:
        scope.budget.check_scan(usable.count)
        _scan(short, block, scope)


def _read_lists(
    pools: Sequence[Candidates],
    block: BlockView,
    lists: Lists,
    usable: Usable,
    scope: Scope,
    group: Sequence[SpaceSearch],
) -> list[Candidates]:
    """Adds to each pool the rows that its lists hold. Returns the pools whose lists hold fewer rows than asked for."""
    short = []
    rows = lists.usable_rows(usable.mask) if usable.filtered and usable.mask is not None else None
    for pool, search in zip(pools, group, strict=True):
        scope.budget.check()
        wanted = rescored(scope.view.schema.distance, lists.datatype, search.limit, search.oversampling)
        nominated = wanted if search.rescore else search.limit
        nprobe = lists.nprobe(_nprobe(search, scope))
        least = math.ceil(lists.rows_read(_nprobe(search, scope)) * usable.count / max(1, block.count))
        filtered = None if rows is None else Filtered(rows, least)
        found, computed = lists.search(search.vector, nprobe, nominated, usable.mask, filtered, scope.budget)
        pool.computations += computed
        scope.budget.meter.rows_scanned += computed
        if len(found) < min(search.limit, usable.count):
            short.append(pool)
        else:
            pool.add_found(block, found)
    return short


def walk_of(search: SpaceSearch, scope: Scope, graph: Graph) -> Walk:
    """How a search walks a graph. The stored form of a graph orders rows only roughly, so it finds more than asked for.

    If oversampling was asked for, or a coarse stored form needs it, the walk is at least as wide as the rows to be
    scored. Other forms keep the order well: for them, that number only bounds how many rows are scored.
    """
    metric = scope.view.schema.distance
    wanted = rescored(metric, graph.datatype, search.limit, search.oversampling)
    ef = max(search.hnsw_ef if search.hnsw_ef is not None else scope.view.schema.hnsw.ef, search.limit)
    if (search.rescore and is_coarse(metric, graph.datatype)) or search.oversampling is not None:
        ef = max(ef, wanted)
    wanted = rescored(metric, graph.datatype, search.limit, search.oversampling, width=ef)
    return Walk(search.limit, ef, wanted if search.rescore else search.limit)
