"""MaxSim: every set of instructions gives the bytes of the twin in numpy, and bounds that hold."""

import time
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from storage.errors import DeadlineExceeded
from storage.kernels import KernelFailed, Metric, native_bounds_of_max_similarities, native_max_similarities
from storage.kernels.library import has_kernels, paths, using
from storage.schema import Distance
from storage.vectors.multi import max_similarities_in_numpy

pytestmark = pytest.mark.skipif(not has_kernels(), reason="there are no native kernels here")

FLOATS = st.floats(allow_nan=False, allow_infinity=False, width=32)
FEW = st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.5])

Case = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]


@st.composite
def _cases(draw: st.DrawFn) -> Case:
    size, elements = draw(st.integers(1, 70)), draw(st.sampled_from([FLOATS, FEW]))
    lengths = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    query = draw(arrays.arrays(np.float32, (draw(st.integers(1, 3)), size), elements=elements))
    rows = draw(arrays.arrays(np.float32, (sum(lengths), size), elements=elements))
    return query, rows, np.cumsum([0, *lengths[:-1]], dtype=np.int64)


def _check(distance: Distance, case: Case) -> None:
    query, rows, starts = case
    if distance.is_binary:
        query, rows = (query > 0).astype(np.float32), (rows > 0).astype(np.float32)
    metric = Metric[distance.name]
    expected = max_similarities_in_numpy(distance, query, rows, starts)
    scores = native_max_similarities(metric, query, rows, starts)
    bounds = native_bounds_of_max_similarities(metric, query, rows, starts)
    assert scores is not None
    assert bounds is not None
    assert scores.tobytes() == expected.tobytes()
    wide = expected.astype(np.float64)
    slack = np.abs(wide) * 2.0**-22 + 1e-30  # a score is rounded after its bounds
    assert (bounds[0] <= wide + slack).all()
    assert (bounds[1] >= wide - slack).all()


@pytest.mark.parametrize("path", paths())
@pytest.mark.parametrize("metric", list(Distance))
@given(case=_cases())
@settings(max_examples=60)
def test_scores_have_the_bytes_of_the_twin(path: str, metric: Distance, case: Case) -> None:
    with using(path):
        _check(metric, case)


@pytest.mark.parametrize("path", paths())
@pytest.mark.parametrize("metric", list(Distance))
@pytest.mark.parametrize("size", [1, 33, 96, 128])
def test_scores_of_usual_documents_have_the_bytes_of_the_twin(path: str, metric: Distance, size: int) -> None:
    random = np.random.default_rng(size)
    lengths = random.integers(1, 60, 40)
    rows = random.standard_normal((int(lengths.sum()), size)).astype(np.float32)
    rows[7] = 0
    query = np.concatenate([rows[:5] + np.float32(0.1), rows[7:9]])
    with using(path):
        _check(metric, (query, rows, np.cumsum(np.append(0, lengths[:-1]))))


def test_tight_bounds_leave_few_to_score() -> None:
    """Bounds that say nothing would hold, too."""
    random = np.random.default_rng(1)
    rows = random.standard_normal((400, 64)).astype(np.float32)
    for distance in (Distance.COSINE, Distance.DOT, Distance.EUCLID, Distance.MANHATTAN):
        starts = np.arange(0, 400, 4)
        bounds = native_bounds_of_max_similarities(Metric[distance.name], rows[:8], rows, starts)
        assert bounds is not None
        assert (bounds[1] - bounds[0] < 0.05 + 0.02 * np.abs(bounds[0])).all()


@pytest.mark.parametrize("starts", [[0, 0], [1, 0], [-1, 2], [0, 5], [0, 4]])
def test_documents_outside_of_the_rows_are_refused(starts: list[int]) -> None:
    rows = np.ones((4, 8), np.float32)
    with pytest.raises(KernelFailed):
        native_max_similarities(Metric.DOT, rows, rows, np.array(starts, np.int64))


def test_a_deadline_ends_it() -> None:
    rows = np.ones((400, 8), np.float32)
    with pytest.raises(DeadlineExceeded):
        native_max_similarities(Metric.DOT, rows, rows, np.arange(400), time.monotonic() - 1)


@pytest.mark.parametrize("ask", [native_max_similarities, native_bounds_of_max_similarities])
@pytest.mark.parametrize("documents", [1, 16])
def test_a_deadline_ends_it_within_a_document(ask: Callable[..., object], documents: int) -> None:
    """Documents as large as any: one alone takes far longer than its time."""
    rows = np.random.default_rng(1).standard_normal((1_024, 1_024)).astype(np.float32)
    starts = np.arange(documents) * (1_024 // documents)
    with pytest.raises(DeadlineExceeded):
        ask(Metric.COSINE, rows, rows, starts, time.monotonic() + 0.005)


def test_rows_of_another_size_are_refused() -> None:
    rows = np.ones((4, 8), np.float32)
    for size in (0, 7, 9):
        with pytest.raises(KernelFailed, match="do not fit"):
            native_max_similarities(Metric.DOT, np.ones((2, size), np.float32), rows, np.array([0]))
