"""Client-side fusion is the formula of the contract, and equal to the server's code bit for bit."""

import statistics
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater import ScoredPoint, distribution_based_score_fusion, reciprocal_rank_fusion
from planner.execute import fusion as of_the_server

IDS: list[int | str] = [0, 1, 2, 10, 2**64 - 1, "", "10", "a", "b", "\ue000", "\U00010000"]
"""In their total order: numbers first, strings by UTF-8 bytes (not by UTF-16 units, which would swap the last two)."""

scores = st.floats(-100, 100, width=32)


def ranked(draw: st.DrawFn, higher: bool) -> list[ScoredPoint]:
    ids = draw(st.lists(st.sampled_from(IDS), unique=True, max_size=8))
    values = sorted((draw(scores) for _ in ids), reverse=higher)
    return [ScoredPoint(point_id, score) for point_id, score in zip(ids, values, strict=True)]


@st.composite
def fusions(draw: st.DrawFn) -> tuple[list[list[ScoredPoint]], list[bool], list[float]]:
    flags = draw(st.lists(st.booleans(), min_size=1, max_size=4))
    weights = [draw(st.sampled_from([0.0, 0.25, 1.0, 3.0, 1 / 3])) for _ in flags]
    return [ranked(draw, flag) for flag in flags], flags, weights if any(weights) else [1.0] * len(flags)


def best(slots: np.ndarray, values: np.ndarray) -> list[tuple[int | str, float]]:
    """The server's scores in the total order; slots are positions in IDS."""
    order = np.lexsort((slots, -values))
    return [(IDS[slots[position]], float(values[position])) for position in order]


def slots_of(hits: list[ScoredPoint]) -> np.ndarray:
    return np.array([IDS.index(hit.id) for hit in hits], dtype=np.uint32)


def pairs(hits: list[ScoredPoint]) -> list[tuple[int | str, float]]:
    return [(hit.id, hit.score) for hit in hits]


@given(fusions(), st.sampled_from([0, 1, 60, 2.5]))
def test_rrf_equals_the_server(case: tuple[list[list[ScoredPoint]], list[bool], list[float]], k: float) -> None:
    lists, _, weights = case
    theirs = of_the_server.reciprocal_rank_fusion([slots_of(hits) for hits in lists], k=k, weights=weights)
    assert pairs(reciprocal_rank_fusion(lists, 100, k, weights)) == best(*theirs)


@given(fusions())
def test_dbsf_equals_the_server(case: tuple[list[list[ScoredPoint]], list[bool], list[float]]) -> None:
    lists, flags, weights = case
    theirs = of_the_server.distribution_based_score_fusion(
        [slots_of(hits) for hits in lists],
        [np.array([hit.score for hit in hits], dtype=np.float32) for hits in lists],
        higher_is_better=flags,
        weights=weights,
    )
    assert pairs(distribution_based_score_fusion(lists, 100, weights, flags)) == best(*theirs)


@given(fusions())
def test_rrf_is_its_formula(case: tuple[list[list[ScoredPoint]], list[bool], list[float]]) -> None:
    lists, _, weights = case
    expected: dict[int | str, Fraction] = {}
    for hits, weight in zip(lists, weights, strict=True):
        for rank, hit in enumerate(hits, 1):
            expected[hit.id] = expected.get(hit.id, Fraction(0)) + Fraction(weight) / (60 + rank)
    fused = reciprocal_rank_fusion(lists, limit=100, weights=weights)
    assert {hit.id: hit.score for hit in fused} == pytest.approx({key: float(value) for key, value in expected.items()})


@given(fusions())
def test_dbsf_is_its_formula(case: tuple[list[list[ScoredPoint]], list[bool], list[float]]) -> None:
    lists, flags, weights = case
    expected: dict[int | str, float] = {}
    for hits, higher, weight in zip(lists, flags, weights, strict=True):
        values = [hit.score if higher else -hit.score for hit in hits]
        spread = statistics.stdev(values) if len(values) > 1 else 0.0
        for hit, value in zip(hits, values, strict=True):
            part = 0.5
            if spread > 0:
                part = min(max((value - (statistics.fmean(values) - 3 * spread)) / (6 * spread), 0.0), 1.0)
            expected[hit.id] = expected.get(hit.id, 0.0) + weight * part / sum(weights)
    fused = distribution_based_score_fusion(lists, limit=100, weights=weights, higher_is_better=flags)
    assert {hit.id: hit.score for hit in fused} == pytest.approx(expected, abs=1e-5)
    assert all(0 <= hit.score <= 1 for hit in fused)


def test_a_worked_example() -> None:
    text = [ScoredPoint("a", 0.9), ScoredPoint("b", 0.8)]
    image = [ScoredPoint("b", 0.7), ScoredPoint("c", 0.6)]
    fused = reciprocal_rank_fusion([text, image])
    assert [hit.id for hit in fused] == ["b", "a", "c"]
    assert fused[0].score == float(np.float32(1 / 62 + 1 / 61))
    assert [hit.id for hit in reciprocal_rank_fusion([text, image], weights=[1, 0])] == ["a", "b", "c"]
    assert reciprocal_rank_fusion([text, image], limit=1) == fused[:1]


def test_equal_scores_are_ordered_by_id_numbers_first() -> None:
    lists = [[ScoredPoint(point_id, 1.0)] for point_id in reversed(IDS)]
    assert [hit.id for hit in reciprocal_rank_fusion(lists, limit=20)] == IDS
    assert [hit.id for hit in distribution_based_score_fusion(lists, limit=20)] == IDS


def test_payloads_and_vectors_of_all_lists_are_kept() -> None:
    first = ScoredPoint(1, 1.0, vectors={"a": np.zeros(1, np.float32)})
    second = ScoredPoint(1, 1.0, {"k": 1}, {"a": np.ones(1, np.float32), "b": np.ones(1, np.float32)})
    (hit,) = reciprocal_rank_fusion([[first], [second]])
    assert hit.payload == {"k": 1}
    assert {space: vector[0] for space, vector in hit.vectors.items()} == {"a": 0, "b": 1}


def test_nothing_fuses_to_nothing() -> None:
    assert reciprocal_rank_fusion([]) == distribution_based_score_fusion([]) == reciprocal_rank_fusion([[], []]) == []


@pytest.mark.parametrize("weights", [[1.0], [1, 1, 1], [-1, 1], [0, 0], [float("nan"), 1], [float("inf"), 1]])
def test_bad_weights(weights: list[float]) -> None:
    lists = [[ScoredPoint(1, 1.0)], [ScoredPoint(2, 1.0)]]
    for fuse in (reciprocal_rank_fusion, distribution_based_score_fusion):
        with pytest.raises(ValueError, match="weights"):
            fuse(lists, weights=weights)


def test_other_bad_arguments() -> None:
    hits = [ScoredPoint(1, 1.0)]
    with pytest.raises(ValueError, match="limit"):
        reciprocal_rank_fusion([hits], limit=0)
    with pytest.raises(ValueError, match="twice"):
        reciprocal_rank_fusion([[*hits, *hits]])
    with pytest.raises(ValueError, match="ranking_constant_k"):
        reciprocal_rank_fusion([hits], ranking_constant_k=-1)
    with pytest.raises(ValueError, match="higher_is_better"):
        distribution_based_score_fusion([hits], higher_is_better=[True, False])
