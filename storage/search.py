"""Searching one space of a snapshot: which rows are looked at, how, and in which order they come back.

Scans and graphs both only nominate candidates, with bounds on their scores; every score that leaves is computed by
distance.scores from the originals, so it does not depend on how its row was found.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from storage import distance
from storage.block import BlockView, SegmentIndex
from storage.budget import Budget
from storage.candidates import Candidates, scan_block
from storage.index import Graph
from storage.ivf.lists import Lists
from storage.order import IdKeys, rank
from storage.segment_index import kind_of_index
from storage.space import NO_ROW, SpaceView
from storage.stored_form import is_coarse, rescored

GRAPH_SELECTIVITY = 0.5
"""Share of rows that must match for a filtered search to walk the graph; below, scanning the matches is faster."""

POST_FILTER_WIDTH = 2.0
"""How much wider than ef / selectivity a walk is that drops what does not match, to hold recall."""

_WALKS_AT_ONCE = 16  # queries walked between two looks at the budget

RowsOf = Callable[[NDArray[np.uint32]], NDArray[np.int64]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceSearch:
    """One search of one space for the `limit` nearest rows to `vector` (float32, (size,), finite).

    allowed: ascending slots that may be found; None: all. Pass the same array for equal filters: searches are grouped
    by identity.
    filter_strategy: "auto", "pre" (scan the matching rows) or "post" (walk the graph and drop).
    oversampling: rows of each segment scored exactly per row asked for; None: as its stored form needs.
    nprobe: nodes of each level of a partition that are followed; None: the space's.
    rescore: False: the graph's own order chooses the `limit` rows of each segment. Scores are exact all the same.
    """

    space: str
    vector: NDArray[np.float32]
    limit: int
    allowed: NDArray[np.uint32] | None = None
    hnsw_ef: int | None = None
    exact: bool = False
    indexed_only: bool = False
    filter_strategy: str = "auto"
    rescore: bool = True
    oversampling: float | None = None
    nprobe: tuple[int, ...] | None = None

    @property
    def settings(self) -> tuple[object, ...]:
        """All but vector and limit. Searches that share them are run together."""
        flags = (self.exact, self.indexed_only, self.filter_strategy, self.rescore)
        return (id(self.allowed), self.hnsw_ef, self.oversampling, self.nprobe, *flags)


@dataclass(frozen=True, slots=True)
class SpaceHits:
    """What a search found: slots (uint32) and scores (float32), best first, ties by point id; and how."""

    slots: NDArray[np.uint32]
    scores: NDArray[np.float32]
    strategy: str = "exact"
    reason: str = ""
    distance_computations: int = 0


@dataclass(frozen=True, slots=True)
class Scope:
    """What a group of searches shares: the space at a commit, and what may be found.

    `allowed_rows`: rows that may be found (int64, ascending); None: all that are alive.
    """

    view: SpaceView
    seq: int
    allowed_rows: NDArray[np.int64] | None
    matching: int
    budget: Budget

    @property
    def selectivity(self) -> float:
        return self.matching / max(1, self.view.vector_count)


@dataclass(frozen=True, slots=True)
class _Choice:
    """How a group of searches runs: which blocks by their graph, and what explain says."""

    graphs: bool
    strategy: str
    reason: str


def search_space(
    view: SpaceView, seq: int, searches: Sequence[SpaceSearch], *, rows_of: RowsOf, id_keys: IdKeys, budget: Budget
) -> list[SpaceHits]:
    """Answers `searches`, all of the space of `view`, in order. Groups those that differ in vector and limit only."""
    groups: dict[object, list[int]] = {}
    for number, search in enumerate(searches):
        groups.setdefault(search.settings, []).append(number)
    answers: dict[int, SpaceHits] = {}
    scopes: dict[int, Scope] = {}
    for numbers in groups.values():
        allowed = searches[numbers[0]].allowed
        scope = scopes.get(id(allowed))
        if scope is None:
            scope = scopes[id(allowed)] = _scope(view, seq, allowed, rows_of, budget)
        group = [searches[number] for number in numbers]
        answers.update(zip(numbers, _search_group(scope, group, id_keys), strict=True))
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
    scores = distance.scores(view.schema.distance, vector, view.gather(rows[present]))
    best = rank(found, scores, higher_is_better=view.schema.distance.higher_is_better, id_keys=id_keys)
    return SpaceHits(found[best], scores[best], "rescore", "the candidates of the prefetches", len(found))


def _scope(view: SpaceView, seq: int, allowed: NDArray[np.uint32] | None, rows_of: RowsOf, budget: Budget) -> Scope:
    if allowed is None:
        return Scope(view, seq, None, view.vector_count, budget)
    rows = rows_of(allowed)
    rows = np.sort(rows[rows != NO_ROW])
    return Scope(view, seq, rows, len(rows), budget)


def _search_group(scope: Scope, group: Sequence[SpaceSearch], id_keys: IdKeys) -> list[SpaceHits]:
    choice = _choose(scope, group[0])
    scope.budget.check_scan(_scanned(scope, choice, group[0]))
    metric = scope.view.schema.distance
    pools = [Candidates(metric, search.vector, search.limit) for search in group]
    for block in scope.view.blocks:
        if choice.graphs and block.graph is not None:
            _search_index(pools, block, scope, group)
        elif block.graph is not None or not group[0].indexed_only:
            scan_block(pools, block, scope.seq, positions_in(block, scope.allowed_rows), scope.budget)
    hits = []
    for pool in pools:
        scope.budget.check()
        slots, scores = pool.scored()
        best = rank(slots, scores, higher_is_better=metric.higher_is_better, id_keys=id_keys, limit=pool.limit)
        hits.append(SpaceHits(slots[best], scores[best], choice.strategy, choice.reason, pool.computations))
    return hits


def _scanned(scope: Scope, choice: _Choice, search: SpaceSearch) -> int:
    """Rows that are scored without an index, at most."""
    tail = sum(
        block.count
        for block in scope.view.blocks
        if not (choice.graphs and block.graph is not None) and (block.graph is not None or not search.indexed_only)
    )
    return min(tail, scope.matching)


def _choose(scope: Scope, search: SpaceSearch) -> _Choice:
    """Graph or scan, and why, for a group of searches like `search`."""
    with_graph = sum(block.graph is not None for block in scope.view.blocks)
    tail = sum(block.count for block in scope.view.blocks if block.graph is None)
    filtered = scope.allowed_rows is not None
    scan = "matching rows" if filtered else "exact"
    matching = f"{scope.matching:,} of {scope.view.vector_count:,} vectors match" if filtered else ""
    if search.exact:
        return _Choice(False, scan, "exact was asked for")
    if not with_graph:
        return _Choice(False, scan, matching or f"no graph covers the {scope.view.vector_count:,} vectors")
    if filtered and search.filter_strategy != "post":
        if search.filter_strategy == "pre":
            return _Choice(False, scan, "the pre-filter strategy was asked for")
        if scope.selectivity < GRAPH_SELECTIVITY:
            return _Choice(False, scan, matching)
    kinds = sorted({kind_of_index(block.graph) for block in scope.view.blocks if block.graph is not None})
    strategy = "+".join(kinds if not tail or search.indexed_only else [*kinds, "tail"])
    segments = f"{with_graph} segment" if with_graph == 1 else f"{with_graph} segments"
    tail_reason = f"{segments} and {tail:,} tail rows" if tail else segments
    parts = (matching, tail_reason, _probed(scope, search))
    return _Choice(True, strategy, ", ".join(part for part in parts if part))


def _probed(scope: Scope, search: SpaceSearch) -> str:
    """How many lists of the largest segment are read."""
    lists = [block.graph for block in scope.view.blocks if isinstance(block.graph, Lists)]
    if not lists:
        return ""
    largest = max(lists, key=lambda each: each.size)
    probed = " x ".join(map(str, largest.nprobe(_nprobe(search, scope))))
    return f"nprobe {probed} of {' x '.join(map(str, largest.partition.lists))} lists"


def _nprobe(search: SpaceSearch, scope: Scope) -> tuple[int, ...]:
    return scope.view.schema.ivf.nprobe if search.nprobe is None else search.nprobe


def _search_index(pools: Sequence[Candidates], block: BlockView, scope: Scope, group: Sequence[SpaceSearch]) -> None:
    """Adds what the index of one segment finds; scans it after all for queries that it leaves short."""
    index = block.graph
    assert index is not None
    positions = positions_in(block, scope.allowed_rows)
    usable = _usable(block, scope.seq, positions)
    available = block.count if usable is None else int(np.count_nonzero(usable))
    if available == 0:
        return
    short = []
    if isinstance(index, Lists):
        walk = _read_lists(index, scope, group, pools, usable)
    else:
        walk = _walk(index, scope, group, pools, block.count / available)
    for number, found in walk:
        if usable is not None and not isinstance(index, Lists):
            found = found[usable[found]]
        if len(found) < min(group[number].limit, available):
            short.append(pools[number])
        else:
            pools[number].add_found(block, found[: _nominated(group[number], scope, index)])
    if short:
        scan_block(short, block, scope.seq, positions, scope.budget)


def _walk(
    graph: Graph, scope: Scope, group: Sequence[SpaceSearch], pools: Sequence[Candidates], rows_per_usable: float
) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """The positions that each search of `group` finds, nearest first. Walks of one width share a call of the graph.

    The width of a walk depends on nothing but its own search, so a batch finds what single searches find.
    """
    by_width: dict[int, list[int]] = {}
    for number, search in enumerate(group):
        by_width.setdefault(_width(search, scope, graph, rows_per_usable), []).append(number)
    for width, numbers in by_width.items():
        for start in range(0, len(numbers), _WALKS_AT_ONCE):
            scope.budget.check()
            part = numbers[start : start + _WALKS_AT_ONCE]
            keys, counts, computed = graph.search(np.stack([group[number].vector for number in part]), width)
            for row, number in enumerate(part):
                pools[number].computations += computed // len(part)
                yield number, keys[row, : counts[row]].astype(np.int64)


def _read_lists(
    lists: Lists,
    scope: Scope,
    group: Sequence[SpaceSearch],
    pools: Sequence[Candidates],
    usable: NDArray[np.bool_] | None,
) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """The positions that each search of `group` finds in its nearest lists, nearest first."""
    for number, search in enumerate(group):
        scope.budget.check()
        nprobe = lists.nprobe(_nprobe(search, scope))
        found, computed = lists.search(search.vector, nprobe, _wanted(search, scope, lists), usable)
        pools[number].computations += computed
        yield number, found


def _nominated(search: SpaceSearch, scope: Scope, graph: SegmentIndex) -> int:
    """How many of the rows that a walk found are scored: the stored form of a graph orders them only roughly."""
    return _wanted(search, scope, graph) if search.rescore else search.limit


def _wanted(search: SpaceSearch, scope: Scope, graph: SegmentIndex) -> int:
    return rescored(scope.view.schema.distance, graph.datatype, search.limit, search.oversampling)


def _width(search: SpaceSearch, scope: Scope, graph: Graph, rows_per_usable: float) -> int:
    """How wide to walk so that about `ef` usable rows are among the found.

    At least as wide as many rows are to be scored, where that was asked for or the stored form needs it. Other forms
    keep the order well: for them it is a bound on what is scored, not a reason to find more.
    """
    ef = max(search.hnsw_ef if search.hnsw_ef is not None else scope.view.schema.hnsw.ef, search.limit)
    coarse = search.rescore and is_coarse(scope.view.schema.distance, graph.datatype)
    if coarse or search.oversampling is not None:
        ef = max(ef, _wanted(search, scope, graph))
    return math.ceil(ef * rows_per_usable * (1.0 if scope.allowed_rows is None else POST_FILTER_WIDTH))


def _usable(block: BlockView, seq: int, positions: NDArray[np.int64] | None) -> NDArray[np.bool_] | None:
    """Which positions of a block may be found; None: all. Allowed rows are current, so they are alive."""
    if positions is None:
        return block.alive(seq)
    usable = np.zeros(block.count, np.bool_)
    usable[positions] = True
    return usable


def positions_in(block: BlockView, rows: NDArray[np.int64] | None) -> NDArray[np.int64] | None:
    """Those of ascending `rows` that lie in `block`, as positions; None when `rows` is."""
    if rows is None:
        return None
    low, high = np.searchsorted(rows, (block.first_row, block.end_row))
    return block.positions_of(rows[low:high])
