"""Scores of sparse vectors: the kernel finds the best rows with the bytes of its twin in numpy."""

import time
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from storage.budget import UNLIMITED, Budget
from storage.errors import DeadlineExceeded
from storage.kernels import KernelFailed
from storage.kernels.library import has_kernels
from storage.vectors import QueryPostings, SparseMetric, SparseScores, SparseVector, sparse_norms
from storage.vectors import sparse as twin

pytestmark = pytest.mark.skipif(not has_kernels(), reason="there are no native kernels here")

ROWS = 40
FLOATS = st.floats(allow_nan=False, allow_infinity=False, width=32)


def _scores(postings: QueryPostings, values: list[float], metric: SparseMetric, budget: Budget) -> SparseScores:
    query = SparseVector(np.arange(len(values), dtype=np.uint32), np.array(values, np.float32))
    scores = SparseScores(query, metric, ROWS, [1.5] * len(values))
    scores.add_postings(postings, budget)
    return scores


@st.composite
def _postings(draw: st.DrawFn) -> QueryPostings:
    """Of each index of a query some rows, none of them twice."""
    rows = [
        draw(st.lists(st.integers(0, ROWS - 1), max_size=ROWS, unique=True)) for _ in range(draw(st.integers(1, 6)))
    ]
    counts = np.array([len(each) for each in rows])
    stops = np.cumsum(counts)
    values = draw(arrays.arrays(np.float32, int(counts.sum()), elements=FLOATS | st.sampled_from([1.0, -1.0, 1e-45])))
    flat = np.array([row for each in rows for row in each], np.int32)
    return QueryPostings(np.arange(len(rows)), stops - counts, stops, flat, values)


@given(
    postings=_postings(),
    values=st.lists(FLOATS, min_size=6, max_size=6),
    metric=st.sampled_from(list(SparseMetric)),
    limit=st.sampled_from([1, 3, 10, 100]),
    alive=st.lists(st.booleans(), min_size=ROWS, max_size=ROWS),
)
@settings(max_examples=300)
def test_the_best_have_the_bytes_of_the_twin(
    postings: QueryPostings, values: list[float], metric: SparseMetric, limit: int, alive: list[bool]
) -> None:
    values = values[: len(postings.starts)]
    lengths = np.bincount(postings.rows, minlength=ROWS).astype(np.int32)
    norms = sparse_norms(postings.rows.astype(np.intp), postings.values, ROWS)
    usable = np.array(alive)
    hits, scores, total = _scores(postings, values, metric, UNLIMITED).best(lengths, norms, usable, limit)
    with patch.object(twin, "add_sparse", lambda *_: False), patch.object(twin, "best_sparse", lambda *_: None):
        expected, exact, count = _scores(postings, values, metric, UNLIMITED).best(lengths, norms, usable, limit)
    assert total == count == len(expected)
    if count > limit:
        keep = exact >= np.sort(exact)[::-1][limit - 1]
        expected, exact = expected[keep], exact[keep]
    order = np.argsort(hits)
    assert hits[order].tolist() == expected.tolist()
    assert scores[order].tobytes() == exact.tobytes()


def test_long_postings_are_added_in_several_calls() -> None:
    count = 3_000_000
    rows = np.arange(count, dtype=np.int32) % ROWS
    paused: list[int] = []
    pieces = np.arange(0, count + 1, ROWS * 1_000)
    postings = QueryPostings(np.arange(len(pieces) - 1), pieces[:-1], pieces[1:], rows, np.ones(count, np.float32))

    def is_cancelled() -> bool:
        paused.append(1)
        return False

    scores = _scores(postings, [1.0] * (len(pieces) - 1), SparseMetric.DOT, Budget(None, is_cancelled))
    hits, found, _ = scores.best(np.ones(ROWS, np.int32), np.ones(ROWS), np.ones(ROWS, np.bool_), 100)
    assert 3 <= len(paused) <= 4
    assert (len(hits), found.tolist()) == (ROWS, [1.5 * count / ROWS] * ROWS)


def test_it_ends_at_the_deadline() -> None:
    postings = QueryPostings(np.arange(1), np.array([0]), np.array([1]), np.zeros(1, np.int32), np.ones(1, np.float32))
    with pytest.raises(DeadlineExceeded):
        _scores(postings, [1.0], SparseMetric.DOT, Budget(time.monotonic() - 1))


@pytest.mark.parametrize(("start", "stop", "row"), [(-1, 1, 0), (0, 3, 0), (1, 0, 0), (0, 2, -1), (0, 2, ROWS)])
def test_what_is_outside_of_the_arrays_is_refused(start: int, stop: int, row: int) -> None:
    postings = QueryPostings(
        np.arange(1), np.array([start]), np.array([stop]), np.array([0, row], np.int32), np.ones(2, np.float32)
    )
    with pytest.raises(KernelFailed):
        _scores(postings, [1.0], SparseMetric.DOT, UNLIMITED)
