"""Exact scores: every set of instructions gives the bytes of the twin in numpy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from storage.kernels import KernelFailed, Metric, native_scores
from storage.kernels.library import has_kernels, paths, using
from storage.kernels.sums import fixed_sums
from storage.schema import Distance
from storage.vectors.distance import score_rows, scores_in_numpy

pytestmark = pytest.mark.skipif(not has_kernels(), reason="there are no native kernels here")

FLOATS = st.floats(allow_nan=False, allow_infinity=False, width=32)
SIZES = st.integers(1, 100)


def _native(metric: Distance, query: NDArray[np.float32], rows: NDArray[np.float32]) -> NDArray[np.float32]:
    scores = native_scores(Metric[metric.name], query, rows)
    assert scores is not None
    return scores


@st.composite
def _cases(draw: st.DrawFn) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    size = draw(SIZES)
    rows = draw(arrays.arrays(np.float32, (draw(st.integers(0, 5)), size), elements=FLOATS))
    return draw(arrays.arrays(np.float32, size, elements=FLOATS)), rows


@pytest.mark.parametrize("path", paths())
@pytest.mark.parametrize("metric", list(Distance))
@given(case=_cases())
@settings(max_examples=60)
def test_scores_have_the_bytes_of_the_twin(
    path: str, metric: Distance, case: tuple[NDArray[np.float32], NDArray[np.float32]]
) -> None:
    query, rows = case
    if metric.is_binary:
        query, rows = (query > 0).astype(np.float32), (rows > 0).astype(np.float32)
    with using(path):
        assert _native(metric, query, rows).tobytes() == scores_in_numpy(metric, query, rows).tobytes()


@pytest.mark.parametrize("path", paths())
@pytest.mark.parametrize("metric", list(Distance))
@pytest.mark.parametrize("size", [1, 7, 31, 32, 33, 63, 384, 1000])
def test_scores_of_usual_rows_have_the_bytes_of_the_twin(path: str, metric: Distance, size: int) -> None:
    """Long sums are where an order of summation shows: about one score in a thousand has other bits in another."""
    rows = np.random.default_rng(size).standard_normal((3_000, size)).astype(np.float32)
    rows[5], rows[6] = 0, -rows[0]
    if metric.is_binary:
        rows = (rows > 0).astype(np.float32)
    with using(path):
        assert _native(metric, rows[0], rows).tobytes() == scores_in_numpy(metric, rows[0], rows).tobytes()


def test_an_order_of_summation_shows() -> None:
    """What the tests above compare is not the same anyway: other orders give other sums."""
    terms = np.random.default_rng(1).standard_normal((1_000, 384))
    fixed = fixed_sums(terms)
    assert (fixed != terms.sum(axis=1)).any()
    assert (fixed != fixed_sums(terms[:, ::-1])).any()
    np.testing.assert_allclose(fixed, terms.sum(axis=1), atol=1e-10)


def test_rows_at_positions_are_scored_where_they_lie() -> None:
    rows = np.random.default_rng(2).standard_normal((50, 40)).astype(np.float32)
    positions = np.array([49, 0, 7, 7], np.int64)
    expected = score_rows(Distance.COSINE, rows[3], rows[positions])
    assert score_rows(Distance.COSINE, rows[3], rows, positions).tobytes() == expected.tobytes()
    assert len(score_rows(Distance.COSINE, rows[3], rows, positions[:0])) == 0
    every_other = score_rows(Distance.DOT, rows[3, ::2], rows[:, ::2], positions)  # views that are not in one piece
    assert every_other.tobytes() == score_rows(Distance.DOT, rows[3, ::2].copy(), rows[positions][:, ::2]).tobytes()


@pytest.mark.parametrize("position", [-1, 50, 2**62])
def test_positions_of_no_row_are_refused(position: int) -> None:
    rows = np.ones((50, 4), np.float32)
    with pytest.raises(KernelFailed):
        native_scores(Metric.DOT, rows[0], rows, np.array([0, position], np.int64))
