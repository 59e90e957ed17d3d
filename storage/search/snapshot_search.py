"""Finds nearest vectors in the spaces of a snapshot, and scores given points exactly."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from storage.budget import Budget
from storage.mvcc import Snapshot
from storage.search.dense import SpaceHits, SpaceSearch, score_slots, search_space
from storage.tables import encode_slot


def search_vectors(snapshot: Snapshot, searches: Sequence[SpaceSearch], budget: Budget) -> list[SpaceHits]:
    """Answers all `searches` in order. Those on one space with equal settings run as one scan.

    Raises DeadlineExceeded or Cancelled as `budget` says.
    """
    by_space: dict[str, list[int]] = {}
    for number, search in enumerate(searches):
        by_space.setdefault(search.space, []).append(number)
    answers: dict[int, SpaceHits] = {}
    for space, numbers in by_space.items():
        hits = search_space(
            snapshot.spaces[space],
            snapshot.seq,
            [searches[number] for number in numbers],
            rows_of=snapshot.rows(space).of,
            id_keys=snapshot.id_keys if space in snapshot.schema.dense else _token_keys,
            cache=snapshot.matching_rows,
            budget=budget,
        )
        answers.update(zip(numbers, hits, strict=True))
    return [answers[number] for number in range(len(searches))]


def score_vectors(
    snapshot: Snapshot, space: str, slots: NDArray[np.uint32], vector: NDArray[np.float32], budget: Budget
) -> SpaceHits:
    """Exact scores of those of `slots` that have a vector in `space`, best first, ties by id.

    Raises DeadlineExceeded or Cancelled as `budget` says.
    """
    return score_slots(
        snapshot.spaces[space],
        slots,
        vector,
        rows_of=snapshot.rows(space).of,
        id_keys=snapshot.id_keys,
        budget=budget,
    )


def _token_keys(tokens: NDArray[np.uint32]) -> list[bytes]:
    return [encode_slot(token) for token in tokens.tolist()]
