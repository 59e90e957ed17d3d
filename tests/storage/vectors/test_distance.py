"""Scores are what their definitions say, to the bit, whatever is computed beside them; estimates keep their bounds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from storage.schema import Distance
from storage.vectors import distance
from tests.storage.model import FLOAT32_MAX, score

METRICS = [metric for metric in Distance if not metric.is_binary]
EXTREMES = [0.0, -0.0, 1.0, -1.0, 1e-45, 1e-40, -1e-40, 1e-20, 1e15, -3e15, 1e38, -1e38, FLOAT32_MAX, -FLOAT32_MAX]
components = st.one_of(st.sampled_from(EXTREMES), st.floats(width=32, allow_nan=False, allow_infinity=False))


@st.composite
def queries_and_rows(draw: st.DrawFn) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    count, size = draw(st.integers(1, 6)), draw(st.integers(1, 5))
    values = draw(hnp.arrays(np.float32, (count + 2, size), elements=components))
    return values[:2], values[2:]


@pytest.mark.parametrize("metric", METRICS)
@given(data=queries_and_rows())
def test_scores_are_those_of_the_definition(
    metric: Distance, data: tuple[NDArray[np.float32], NDArray[np.float32]]
) -> None:
    queries, rows = data
    found = distance.score_rows(metric, queries[0], rows)
    expected = np.array([score(metric, queries[0], row) for row in rows], np.float32)
    assert np.isfinite(found).all()
    # The last bit may differ, since float64 sums run in another order; where terms cancel, what float64 keeps of them.
    terms = np.abs(rows.astype(np.float64)) @ np.abs(queries[0].astype(np.float64)) if metric is Distance.DOT else 1.0
    wide = np.maximum(np.abs(found), np.abs(expected)).astype(np.float64)
    difference = np.abs(found.astype(np.float64) - expected.astype(np.float64))
    assert (difference <= 2.0**-23 * wide + 2.0**-149 + 2.0**-50 * terms).all()
    assert not np.signbit(found[found == 0]).any()


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("size", [1, 2, 7, 8, 33, 130, 768, 12_001])
def test_a_score_depends_on_nothing_but_its_row(metric: Distance, size: int) -> None:
    random = np.random.default_rng(size)
    count = 3 * (1 << 20) // size if size > 700 else 700
    rows = random.standard_normal((count, size), np.float32) * np.float32(3.7)
    query = random.standard_normal(size, np.float32)
    together = distance.score_rows(metric, query, rows)
    picked = random.permutation(count)[:50]
    assert distance.score_rows(metric, query, rows[picked]).tobytes() == together[picked].tobytes()
    assert distance.score_rows(metric, query, rows[5:]).tobytes() == together[5:].tobytes()
    for number in picked[:5].tolist():
        alone = distance.score_rows(metric, query, rows[number : number + 1])
        assert alone.tobytes() == together[number : number + 1].tobytes()
    assert distance.score_rows(metric, query, np.asfortranarray(rows[:100])).tobytes() == together[:100].tobytes()


@pytest.mark.parametrize("metric", METRICS)
def test_no_rows_have_no_scores(metric: Distance) -> None:
    assert distance.score_rows(metric, np.ones(3, np.float32), np.empty((0, 3), np.float32)).shape == (0,)


def test_bounded_and_signless_extremes() -> None:
    big = np.full((1, 4), FLOAT32_MAX, np.float32)
    assert distance.score_rows(Distance.DOT, big[0], -big)[0] == -np.float32(FLOAT32_MAX)
    assert distance.score_rows(Distance.EUCLID, big[0], -big)[0] == np.float32(FLOAT32_MAX)
    assert distance.score_rows(Distance.MANHATTAN, big[0], -big)[0] == np.float32(FLOAT32_MAX)
    assert distance.score_rows(Distance.COSINE, big[0], -big)[0] == -1
    tiny = np.full((1, 4), 1e-45, np.float32)
    assert distance.score_rows(Distance.COSINE, tiny[0], tiny)[0] == 1
    assert distance.score_rows(Distance.COSINE, tiny[0], np.zeros((1, 4), np.float32))[0] == 0
    minus = distance.score_rows(Distance.DOT, np.array([-1], np.float32), np.zeros((1, 1), np.float32))
    assert not np.signbit(minus).any()
    rounded = distance.score_rows(Distance.DOT, np.array([1e-40], np.float32), np.array([[-1e-40]], np.float32))
    assert not np.signbit(rounded).any()


def test_score_modes() -> None:
    raw = np.array([0.0, 0.25, 3.0, FLOAT32_MAX], np.float32)
    assert distance.similarity(Distance.EUCLID, raw)[:3].tolist() == [1.0, np.float32(0.8), 0.25]
    assert distance.similarity(Distance.MANHATTAN, raw)[2] == 0.25
    assert distance.similarity(Distance.COSINE, raw) is raw
    assert distance.dissimilarity(Distance.COSINE, raw)[:2].tolist() == [1.0, 0.75]
    assert distance.dissimilarity(Distance.DOT, raw)[:3].tolist() == [0.0, -0.25, -3.0]
    assert not np.signbit(distance.dissimilarity(Distance.DOT, raw)[0])
    assert distance.dissimilarity(Distance.EUCLID, raw).tolist() == [0.0, 0.0625, 9.0, np.float32(FLOAT32_MAX)]
    assert distance.dissimilarity(Distance.MANHATTAN, raw).tolist() == raw.tolist()


@pytest.mark.parametrize("metric", METRICS)
@given(data=queries_and_rows())
def test_estimates_stay_within_their_bounds(
    metric: Distance, data: tuple[NDArray[np.float32], NDArray[np.float32]]
) -> None:
    queries, rows = data
    guess, bound = distance.estimate_rows(metric, queries, distance.norms_of(queries), rows, distance.norms_of(rows))
    bound = np.broadcast_to(bound, guess.shape)
    for number, query in enumerate(queries):
        a, b = query.astype(np.float64), rows.astype(np.float64)
        match metric:
            case Distance.EUCLID:
                true = -((b - a) ** 2).sum(axis=1)
            case Distance.MANHATTAN:
                true = -np.abs(b - a).sum(axis=1)
            case Distance.DOT:
                true = b @ a
            case Distance.COSINE:
                true = np.array([float(score(metric, query, row)) for row in rows])
        assert (np.abs(guess[number] - true) <= bound[number]).all()
