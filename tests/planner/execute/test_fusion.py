"""Fusion in numbers worked out by hand, and what holds for any lists."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.execute.fusion import distribution_based_score_fusion, normalise, reciprocal_rank_fusion, union
from tests.support.oracle import query as oracle

Fused = dict[int, float]


def rrf(lists: Sequence[Sequence[int]], k: float = 60, weights: Sequence[float] | None = None) -> Fused:
    arrays = [np.array(members, np.uint32) for members in lists]
    slots, scores = reciprocal_rank_fusion(arrays, k=k, weights=weights or [1.0] * len(lists))
    assert slots.dtype == np.uint32
    assert scores.dtype == np.float32
    assert np.all(np.diff(slots.astype(np.int64)) > 0)
    return dict(zip(slots.tolist(), scores.tolist(), strict=True))


def dbsf(
    lists: Sequence[dict[int, float]], weights: Sequence[float] | None = None, higher: Sequence[bool] | None = None
) -> Fused:
    slots, scores = distribution_based_score_fusion(
        [np.array(list(members), np.uint32) for members in lists],
        [np.array(list(members.values()), np.float32) for members in lists],
        higher_is_better=higher or [True] * len(lists),
        weights=weights or [1.0] * len(lists),
    )
    assert slots.dtype == np.uint32
    assert scores.dtype == np.float32
    return dict(zip(slots.tolist(), scores.tolist(), strict=True))


def test_rrf_by_hand() -> None:
    fused = rrf([[7, 3], [3, 5]])
    assert fused == pytest.approx({7: 1 / 61, 3: 1 / 62 + 1 / 61, 5: 1 / 62})
    assert rrf([[7, 3], [3, 5]], k=1, weights=[2, 0.5]) == pytest.approx({7: 1, 3: 2 / 3 + 0.25, 5: 0.5 / 3})
    assert rrf([[7]], k=0) == {7: 1}


def test_dbsf_by_hand() -> None:
    # 1, 2, 3 have mean 2 and sample standard deviation 1: (x - (2 - 3)) / 6.
    assert dbsf([{1: 3, 2: 2, 3: 1}]) == pytest.approx({1: 4 / 6, 2: 3 / 6, 3: 2 / 6})
    assert dbsf([{1: 1, 2: 2, 3: 3}], higher=[False]) == pytest.approx({1: 4 / 6, 2: 3 / 6, 3: 2 / 6})
    # A missing point counts 0, one hit and equal scores 0.5, and weights divide.
    assert dbsf([{1: 3, 2: 2, 3: 1}, {9: 5}]) == pytest.approx({1: 2 / 6, 2: 1 / 4, 3: 1 / 6, 9: 1 / 4})
    assert dbsf([{1: 2, 2: 2}, {2: 8}], weights=[3, 1]) == pytest.approx({1: 0.375, 2: 0.5})
    assert dbsf([{}, {}]) == {}


def test_dbsf_clamps_outliers() -> None:
    scores = np.array([100.0, *[0.0] * 99])
    assert normalise(scores)[0] == 1.0
    assert normalise(-scores)[0] == 0.0


def test_huge_scores_stay_finite() -> None:
    fused = dbsf([{1: 3e38, 2: -3e38}, {1: 1e-40, 2: 0}])
    assert all(0 <= score <= 1 for score in fused.values())
    assert np.isfinite(list(rrf([[1], [1]], k=0, weights=[1e30, 1e30]).values())).all()


SCORES = st.floats(-1e6, 1e6, width=32)
LISTS = st.lists(st.dictionaries(st.integers(0, 20), SCORES, max_size=12), min_size=1, max_size=4)


@given(LISTS, st.data())
def test_fusion_is_the_oracles(lists: list[dict[int, float]], data: st.DataObject) -> None:
    weights = data.draw(st.lists(st.floats(0.125, 8), min_size=len(lists), max_size=len(lists)))
    higher = data.draw(st.lists(st.booleans(), min_size=len(lists), max_size=len(lists)))
    ranked: list[oracle.List] = [[(slot, np.float32(score)) for slot, score in members.items()] for members in lists]
    assert rrf([list(members) for members in lists], 60, weights) == dict(oracle.rrf(ranked, 60, weights))
    fused = dbsf(lists, weights, higher)
    assert fused == dict(oracle.dbsf(list(zip(ranked, higher, strict=True)), weights))
    assert all(0 <= score <= 1 for score in fused.values())


def test_union_ascends_without_repeats() -> None:
    members = union([np.array([5, 1], np.uint32), np.array([], np.uint32), np.array([1, 9], np.uint32)])
    assert members.tolist() == [1, 5, 9]
    assert members.dtype == np.uint32
    assert union([]).dtype == np.uint32
