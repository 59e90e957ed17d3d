"""The one total order of results: by score in the metric's direction, then by point id."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

IdKeys = Callable[[NDArray[np.uint32]], Sequence[bytes]]


def rank(
    slots: NDArray[np.uint32],
    scores: NDArray[np.float32],
    *,
    higher_is_better: bool,
    id_keys: IdKeys,
    limit: int | None = None,
    offset: int = 0,
) -> NDArray[np.intp]:
    """Positions of the best hits after `offset`, at most `limit`, in the total order.

    Asks for id keys only where scores are equal, since each costs a look-up.
    """
    keys = -scores if higher_is_better else scores
    order = np.argsort(keys, kind="stable")
    end = len(order) if limit is None else min(len(order), offset + limit)
    for start, stop in _tied_runs(keys[order], end):
        tied = order[start:stop]
        ids = id_keys(slots[tied])
        order[start:stop] = tied[sorted(range(len(tied)), key=ids.__getitem__)]
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


def _tied_runs(ordered: NDArray[np.float32], end: int) -> list[tuple[int, int]]:
    """Runs of two or more adjacent equal scores that begin before `end`."""
    equal = ordered[1:] == ordered[:-1]
    if not equal[:end].any():
        return []
    edges = np.flatnonzero(np.diff(np.concatenate(([False], equal, [False])).astype(np.int8)))
    runs = edges.reshape(-1, 2)
    return [(int(start), int(stop) + 1) for start, stop in runs if start < end]
