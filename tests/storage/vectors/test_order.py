"""The total order: by score, then by id, and id keys are asked for only where scores tie."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from storage.tables.keys import decode_id, encode_id
from storage.vectors import order
from storage.vectors.order import FEW, rank
from tests.storage.model import id_order

point_ids = st.one_of(st.integers(0, 2**64 - 1), st.text(min_size=1, max_size=4))
scores = st.sampled_from([0.0, 1.0, -1.0, 0.5, 1e-45, 3e38, -3e38])


@given(
    hits=st.dictionaries(point_ids, scores, max_size=12),
    higher=st.booleans(),
    limit=st.one_of(st.none(), st.integers(0, 14)),
    offset=st.integers(0, 14),
    few=st.sampled_from([0, order.FEW]),
)
def test_rank_is_the_sorted_order(
    hits: dict[int | str, float], higher: bool, limit: int | None, offset: int, few: int
) -> None:
    ids = list(hits)
    keys = [encode_id(point_id) for point_id in ids]
    slots = np.arange(len(ids), dtype=np.uint32)
    values = np.array(list(hits.values()), np.float32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(order, "FEW", few)
        best = rank(
            slots,
            values,
            higher_is_better=higher,
            id_keys=lambda wanted: [keys[slot] for slot in wanted.tolist()],
            limit=limit,
            offset=offset,
        )
    sign = -1 if higher else 1
    expected = sorted(ids, key=lambda point_id: (sign * hits[point_id], id_order(point_id)))
    stop = None if limit is None else offset + limit
    assert [ids[position] for position in best.tolist()] == expected[offset:stop]


@pytest.mark.parametrize("higher", [True, False])
def test_ids_are_looked_up_only_where_scores_tie(higher: bool) -> None:
    asked: list[int] = []

    def id_keys(slots: NDArray[np.uint32]) -> list[bytes]:
        asked.extend(slots.tolist())
        return [encode_id(100 - int(slot)) for slot in slots]

    values = np.array([5, 4, 4, 3, 2, 2, 1], np.float32)
    slots = np.arange(7, dtype=np.uint32)
    best = rank(slots, values if higher else -values, higher_is_better=higher, id_keys=id_keys, limit=2)
    assert best.tolist() == [0, 2]
    assert asked == [1, 2]


def test_a_tie_across_the_limit_is_decided_by_id() -> None:
    values = np.zeros(5, np.float32)
    keys = [encode_id(point_id) for point_id in ("b", 2**64 - 1, "a", 3, "é")]
    best = rank(
        np.arange(5, dtype=np.uint32),
        values,
        higher_is_better=True,
        id_keys=lambda slots: [keys[slot] for slot in slots.tolist()],
        limit=2,
        offset=1,
    )
    assert best.tolist() == [1, 2]


@given(ids=st.lists(point_ids, unique=True, max_size=20))
def test_keys_order_like_ids_and_read_back(ids: list[int | str]) -> None:
    assert sorted(ids, key=encode_id) == sorted(ids, key=id_order)
    assert [decode_id(encode_id(point_id)) for point_id in ids] == ids


@pytest.mark.parametrize("more", [0, FEW])
def test_after_the_rows_that_somebody_looks_at_no_tie_is_broken(more: int) -> None:
    asked: list[int] = []

    def id_keys(slots: NDArray[np.uint32]) -> list[bytes]:
        asked.extend(slots.tolist())
        return [encode_id(100 - int(slot)) for slot in slots]

    values = np.array([5, 4, 4, 3, 3, 2, 2, *[0] * more], np.float32)
    slots = np.arange(len(values), dtype=np.uint32)
    best = rank(slots, values, higher_is_better=True, id_keys=id_keys, sure=4)
    assert best[:7].tolist() == [0, 2, 1, 4, 3, 5, 6], "the tie that begins before the fifth is broken as a whole"
    assert sorted(best.tolist()) == slots.tolist()
    assert asked == [1, 2, 3, 4]


@given(
    values=st.lists(st.integers(0, 6), max_size=40), sure=st.none() | st.integers(0, 45), few=st.sampled_from([0, FEW])
)
def test_all_ties_are_asked_for_together(values: list[int], sure: int | None, few: int) -> None:
    """Whatever the runs are: one call, with just the rows of those that begin before the end."""
    asked: list[list[int]] = []

    def id_keys(slots: NDArray[np.uint32]) -> list[bytes]:
        asked.append(slots.tolist())
        return [encode_id(100 - int(slot)) for slot in slots]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(order, "FEW", few)
        scores = np.array(values, np.float32)
        slots = np.arange(len(values), dtype=np.uint32)
        best = rank(slots, scores, higher_is_better=False, id_keys=id_keys, sure=sure).tolist()
    end = len(values) if sure is None else min(sure, len(values))
    by_score = sorted(range(len(values)), key=values.__getitem__)
    broken = {values[slot] for slot in by_score[:end] if values.count(values[slot]) > 1}
    assert asked == ([[slot for slot in by_score if values[slot] in broken]] if broken else [])
    assert best == sorted(by_score, key=lambda slot: (values[slot], -slot if values[slot] in broken else slot))
