"""The one total order of results: by score in the metric's direction, then by point id."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

IdKeys = Callable[[NDArray[np.uint32]], Sequence[bytes]]

FEW = 64
"""Rows that are sorted without numpy, whose calls would take longer than the work."""


def rank(
    slots: NDArray[np.uint32],
    scores: NDArray[np.float32],
    *,
    higher_is_better: bool,
    id_keys: IdKeys,
    limit: int | None = None,
    offset: int = 0,
    sure: int | None = None,
) -> NDArray[np.intp]:
    """Positions of the best after `offset`, at most `limit`, in the total order. With `sure`, ties are broken among the
    first so many of all, and the others are ordered by score alone.

    Asks for id keys only where scores are equal, since each costs a look-up.
    """
    keys = -scores if higher_is_better else scores
    end = len(keys) if limit is None else min(len(keys), offset + limit)
    broken = end if sure is None else min(end, sure)
    if len(keys) <= FEW:
        return np.array(_order_of_few(slots, keys.tolist(), id_keys, broken)[offset:end], np.intp)
    order = np.argsort(keys, kind="stable")
    places, runs = _tied(keys[order], broken)
    if len(places):
        tied = order[places]
        ids = id_keys(slots[tied])
        by_id = np.array(sorted(range(len(ids)), key=ids.__getitem__), np.intp)
        order[places] = tied[by_id[np.argsort(runs[by_id], kind="stable")]]
    return order[offset:end]


@dataclass(frozen=True, slots=True)
class Position:
    """A position in a ranking: the score and the id key of a hit, which need not exist."""

    score: np.float32
    id_key: bytes


def comes_after(
    position: Position,
    slots: NDArray[np.uint32],
    scores: NDArray[np.float32],
    *,
    higher_is_better: bool,
    id_keys: IdKeys,
) -> NDArray[np.bool_]:
    """Which of `slots` (n,) come strictly after `position` in the total order, (n,). Asks for ids where scores are
    equal."""
    after: NDArray[np.bool_] = scores < position.score if higher_is_better else scores > position.score
    tied = np.flatnonzero(scores == position.score)
    after[tied] = [key > position.id_key for key in id_keys(slots[tied])]
    return after


def best(
    slots: NDArray[np.uint32], scores: NDArray[np.float32], limit: int | None, id_keys: IdKeys
) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
    """The `limit` best hits (None: all) in the total order; higher is better. Sorts only hits that may be among
    them."""
    if limit is not None and len(scores) > 2 * limit:
        worst = np.partition(scores, len(scores) - limit)[len(scores) - limit]
        slots, scores = slots[scores >= worst], scores[scores >= worst]
    order = rank(slots, scores, higher_is_better=True, id_keys=id_keys, limit=limit)
    return slots[order], scores[order]


def _order_of_few(slots: NDArray[np.uint32], keys: Sequence[float], id_keys: IdKeys, end: int) -> list[int]:
    """Positions by key, then by id in the runs that begin before `end`. For few rows this takes a fifth of the time."""
    order = sorted(range(len(keys)), key=keys.__getitem__)
    runs: list[slice] = []
    start = 0
    while start < end:
        stop = start + 1
        while stop < len(order) and keys[order[stop]] == keys[order[start]]:
            stop += 1
        if stop - start > 1:
            runs.append(slice(start, stop))
        start = stop
    if runs:
        tied = [position for run in runs for position in order[run]]
        by_position = dict(zip(tied, id_keys(slots[tied]), strict=True))
        for run in runs:
            order[run] = sorted(order[run], key=by_position.__getitem__)
    return order


def _tied(ordered: NDArray[np.float32], end: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The places in runs of two or more adjacent equal scores that begin before `end`, ascending, and the number of the
    run of each."""
    equal = ordered[1:] == ordered[:-1]
    if not equal[:end].any():
        return np.empty(0, np.intp), np.empty(0, np.intp)
    starts = np.concatenate(([True], ~equal))
    runs = np.cumsum(starts)
    stop = int(np.searchsorted(runs, runs[end - 1], side="right"))
    places = np.flatnonzero(~(starts & np.append(starts[1:], True))[:stop])
    return places, runs[places]
