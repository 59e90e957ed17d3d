"""Stored forms: what is kept of rows and queries, and that graphs of them compare as the metric of the space does."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from storage.index.hnsw import Graph, build
from storage.schema import Datatype, DenseSpace, Distance
from storage.vectors import distance, stored_form
from storage.vectors.encoding import Encoding, choose_encoding

Rows = NDArray[np.float32]
FLOAT32_MAX = float(np.finfo(np.float32).max)
COMPONENTS = st.one_of(
    st.sampled_from([0.0, 1e-45, 1e-20, -1e20, FLOAT32_MAX]), st.floats(width=32, allow_nan=False, allow_infinity=False)
)
GRAPH_METRICS = [Distance.COSINE, Distance.DOT, Distance.EUCLID]


def _rows(count: int, size: int, seed: int = 0, scale: float = 1.0) -> Rows:
    rows: Rows = np.random.default_rng(seed).standard_normal((count, size), np.float32) * np.float32(scale)
    return rows


def _clustered(count: int, size: int, seed: int) -> Rows:
    """Rows around 30 centres, as embeddings are; those of two seeds share no row and all centres."""
    centres = _rows(30, size, seed=99)
    chosen: Rows = centres[np.random.default_rng(seed).integers(0, 30, count)] + _rows(count, size, seed, scale=0.5)
    return chosen


@given(rows=hnp.arrays(np.float32, hnp.array_shapes(min_dims=2, max_dims=2, max_side=6), elements=COMPONENTS))
def test_int8_is_the_nearest_of_evenly_spaced_values(rows: Rows) -> None:
    """Of each row under Cosine; the largest component is the largest value, whatever it is."""
    stored = stored_form.encode_rows(Distance.COSINE, Datatype.INT8, Encoding(), rows)
    assert stored.dtype == np.int8
    wide = rows.astype(np.float64)
    step = np.broadcast_to(np.abs(wide).max(axis=1, keepdims=True) / 127, rows.shape)
    assert (np.abs(stored * step - wide) <= step * 0.5 * (1 + 1e-6)).all()


@pytest.mark.parametrize("datatype", [Datatype.FLOAT32, Datatype.BFLOAT16, Datatype.FLOAT16, Datatype.INT8])
@pytest.mark.parametrize("metric", GRAPH_METRICS)
@given(rows=hnp.arrays(np.float32, hnp.array_shapes(min_dims=2, max_dims=2, max_side=6), elements=COMPONENTS))
def test_whatever_rows_there_are_what_is_stored_is_finite(metric: Distance, datatype: Datatype, rows: Rows) -> None:
    encoding = choose_encoding(metric, datatype, rows, np.arange(len(rows)))
    assert np.isfinite(encoding.scale)
    assert encoding.scale > 0
    for encode in (stored_form.encode_rows, stored_form.encode_queries):
        stored = stored_form.decoded(datatype, encode(metric, datatype, encoding, rows), rows.shape[1])
        assert np.isfinite(stored).all()
        assert np.isfinite(np.vecdot(stored, stored)).all()
    again = Encoding.of(encoding.scale, encoding.centre_text())
    assert again.centre_text() == encoding.centre_text()


def test_int8_of_one_scale_is_for_all_but_a_few_rows() -> None:
    """One row that is far longer than the others does not leave them a few steps."""
    rows = _rows(1000, 16)
    for outlier in (1, 1000):
        rows[7] = rows[7] * outlier
        encoding = choose_encoding(Distance.EUCLID, Datatype.INT8, rows, np.arange(1000))
        stored = stored_form.encode_rows(Distance.EUCLID, Datatype.INT8, encoding, rows)
        assert np.median(np.abs(stored).max(axis=1)) > 40


def test_rows_away_from_the_origin_are_moved_there() -> None:
    rows = _rows(1000, 16)
    for metric in GRAPH_METRICS:
        assert choose_encoding(metric, Datatype.INT8, rows, np.arange(1000)).centre is None
        moved = choose_encoding(metric, Datatype.INT8, rows + 1000, np.arange(1000)).centre
        assert moved is not None
        assert np.allclose(moved, 0.25 if metric is Distance.COSINE else 1000, rtol=1e-2)


def test_a_query_beyond_the_rows_is_cut_under_euclid_and_scaled_under_dot() -> None:
    query = np.array([[8, 2]], np.float32)
    for metric, expected in ((Distance.EUCLID, [127, 127]), (Distance.DOT, [127, 32]), (Distance.COSINE, [127, 32])):
        stored = stored_form.encode_queries(metric, Datatype.INT8, Encoding(63.5), query)
        assert stored.tolist() == [expected]


def test_squared_distances_of_the_longest_vectors_fit_32_bits() -> None:
    rows = np.ones((2, 65_536), np.float32)
    rows[1] = -1
    stored = stored_form.encode_rows(Distance.COSINE, Datatype.INT8, Encoding(), rows).astype(np.int64)
    assert stored[0, 0] == 90
    assert np.square(stored[0] - stored[1]).sum() < 2**31


@pytest.mark.parametrize("size", [1, 7, 8, 9, 64])
def test_binary_keeps_what_is_above_zero(size: int) -> None:
    rows = _rows(5, size)
    rows[0, 0] = 0
    stored = stored_form.encode_rows(Distance.COSINE, Datatype.BINARY, Encoding(), rows)
    assert stored.shape == (5, -(-size // 8))
    assert (np.unpackbits(stored.view(np.uint8), axis=1)[:, :size] == (rows > 0)).all()


@pytest.mark.parametrize(
    ("metric", "datatype", "limit", "oversampling", "expected"),
    [
        (Distance.COSINE, Datatype.BFLOAT16, 10, None, 40),
        (Distance.COSINE, Datatype.BFLOAT16, 1, None, 32),
        (Distance.EUCLID, Datatype.BINARY, 10, None, 320),
        (Distance.HAMMING, Datatype.BINARY, 10, None, 40),
        (Distance.EUCLID, Datatype.INT8, 100, 1.005, 101),
    ],
)
def test_how_many_rows_are_scored(
    metric: Distance, datatype: Datatype, limit: int, oversampling: float | None, expected: int
) -> None:
    assert stored_form.rescored(metric, datatype, limit, oversampling) == expected


@pytest.mark.parametrize("scale", [1e-3, 300.0])
@pytest.mark.parametrize("datatype", Datatype)
@pytest.mark.parametrize("metric", GRAPH_METRICS)
def test_a_graph_finds_the_nearest_in_any_form(
    metric: Distance, datatype: Datatype, scale: float, tmp_path: Path
) -> None:
    """Also where lengths differ, which usearch forgets when it makes int8 itself, and components are not near 1."""
    rows = _clustered(1500, 64, seed=1) * np.float32(scale)
    rows *= np.random.default_rng(2).uniform(0.5, 1, (1500, 1)).astype(np.float32)
    space = DenseSpace(size=64, distance=metric, datatype=datatype)
    encoding = build(space, rows, np.arange(1500), tmp_path / "graph")
    queries = _clustered(40, 64, seed=3) * np.float32(scale * 0.8)
    found, counts, _ = Graph(space, tmp_path / "graph", encoding).search(queries, 320)
    assert (counts == 320).all()
    shares = []
    for query, positions in zip(queries, found.astype(np.int64), strict=True):
        exact = distance.score_rows(metric, query, rows)
        best = np.argsort(-exact if metric.higher_is_better else exact)[:10]
        # Signs know nothing of lengths: the best are found, but far behind.
        nearest = positions if datatype is Datatype.BINARY else positions[:12]
        shares.append(len(np.intersect1d(best, nearest)) / 10)
    assert np.mean(shares) >= 0.97, np.mean(shares)


@pytest.mark.parametrize("metric", [Distance.HAMMING, Distance.JACCARD])
@pytest.mark.parametrize("size", [20, 256])
def test_a_graph_of_bits_orders_as_the_metric(metric: Distance, size: int, tmp_path: Path) -> None:
    rows = (np.random.default_rng(3).random((1200, size)) < 0.3).astype(np.float32)
    space = DenseSpace(size=size, distance=metric, datatype=Datatype.BINARY)
    encoding = build(space, rows, np.arange(1200), tmp_path / "graph")
    queries = (np.random.default_rng(4).random((20, size)) < 0.3).astype(np.float32)
    found, _, _ = Graph(space, tmp_path / "graph", encoding).search(queries, 300)
    shares = []
    for query, positions in zip(queries, found.astype(np.int64), strict=True):
        in_order = distance.score_rows(metric, query, rows[positions])
        assert (np.diff(in_order) >= -1e-6).all()
        best = np.sort(distance.score_rows(metric, query, rows))[:10]
        shares.append(np.mean(np.isin(best, in_order)))
    assert np.mean(shares) >= 0.97, np.mean(shares)


def test_another_attempt_is_another_graph(tmp_path: Path) -> None:
    rows = _rows(600, 16)
    graphs = []
    for number, attempt in enumerate((0, 0, 1)):
        build(DenseSpace(size=16), rows, np.arange(600), tmp_path / str(number), attempt=attempt)
        graphs.append((tmp_path / str(number)).read_bytes())
    assert graphs[0] == graphs[1]
    assert graphs[0] != graphs[2]


def test_no_rows_make_an_empty_graph(tmp_path: Path) -> None:
    space = DenseSpace(size=4, distance=Distance.DOT, datatype=Datatype.INT8)
    encoding = build(space, np.empty((0, 4), np.float32), np.empty(0, np.int64), tmp_path / "graph")
    assert (encoding.scale, encoding.centre) == (1.0, None)
    assert Graph(space, tmp_path / "graph").size == 0
