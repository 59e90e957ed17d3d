"""Scans: every set of instructions finds just the best rows, whatever the numbers, from originals and from codes."""

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from storage.errors import DeadlineExceeded
from storage.kernels import KernelFailed, Metric, Scan, Scanned, native_codes, native_scan
from storage.kernels.library import has_kernels, paths, using
from storage.schema import Distance
from storage.vectors import code_rows, has_codes, norms_of, score_rows
from tests.storage.hard_rows import STYLES, Rows

pytestmark = pytest.mark.skipif(not has_kernels(), reason="there are no native kernels here")

FLOATS = st.floats(allow_nan=False, allow_infinity=False, width=32)
NONE = np.float32(np.nan)


def _scan(queries: Rows, limit: int, floor: np.float32 = NONE, after: np.float32 = NONE, threads: int = 1) -> Scan:
    count = len(queries)
    return Scan(
        queries=queries,
        limits=np.full(count, limit),
        floors=np.full(count, floor),
        after=np.full(count, after),
        threads=threads,
    )


def _rows(metric: Distance, rows: Rows, positions: NDArray[np.int64] | None, *, coded: bool = False) -> Scanned:
    """`coded` needs positions; rows that have no codes are scanned as they are."""
    codes = None
    if coded and positions is not None and has_codes(metric):
        made = code_rows(metric, rows, norms_of(rows), positions)
        codes = None if made is None else made.codes
    return Scanned(
        metric=Metric[metric.name],
        vectors=rows,
        norms=norms_of(rows),
        positions=positions,
        usable=None,
        codes=codes,
    )


def _expected(metric: Distance, rows: Scanned, scan: Scan, number: int) -> tuple[list[int], bytes]:
    """Positions, ascending, and the bytes of scores: the best, with ties, by exact scores of all rows."""
    positions = np.arange(len(rows.vectors)) if rows.positions is None else rows.positions
    if rows.usable is not None:
        positions = positions[rows.usable[positions]]
    scores = score_rows(metric, scan.queries[number], rows.vectors, positions)
    keys, sign = (scores, 1) if metric.higher_is_better else (-scores, -1)
    floor, after = scan.floors[number] * sign, scan.after[number] * sign
    wanted = ~(keys > after) & (~(keys < floor) | (keys == after))
    ranked = np.sort(keys[wanted & (keys != after)])[::-1]
    limit = int(scan.limits[number])
    if len(ranked) >= limit:
        wanted &= (keys >= ranked[limit - 1]) | (keys == after)
    order = np.argsort(positions[wanted], kind="stable")
    return positions[wanted][order].tolist(), scores[wanted][order].tobytes()


def _assert_found(metric: Distance, rows: Scanned, scan: Scan) -> None:
    found = native_scan(rows, scan)
    assert len(found) == len(scan.queries)
    for number, (positions, scores) in enumerate(found):
        order = np.argsort(positions, kind="stable")
        assert (positions[order].tolist(), scores[order].tobytes()) == _expected(metric, rows, scan, number)


@pytest.mark.parametrize("path", paths())
@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.__name__.strip("_"))
@pytest.mark.parametrize("metric", list(Distance))
def test_the_best_are_found_with_all_ties(
    metric: Distance, style: Callable[[np.random.Generator, int], Rows], path: str
) -> None:
    """All rows, those that are usable, some and their codes; few and more than there are; and from a score on."""
    random = np.random.default_rng(8)
    for size in (1, 3, 17, 64, 131):
        rows = style(np.random.default_rng(size), size)
        if metric.is_binary:
            rows = (rows > 0).astype(np.float32)
        few = np.sort(random.choice(len(rows), 90, replace=False)).astype(np.int64)
        safe = few[(norms_of(rows[few]) < 1e15) & (norms_of(rows[few]) > 1e-15)]
        queries = rows[[3, 100, 301]]
        usable = random.random(len(rows)) < 0.6
        with using(path):
            for limit in (1, 10, 1_000):
                scan = _scan(queries, limit)
                _assert_found(metric, _rows(metric, rows, None), scan)
                _assert_found(metric, replace(_rows(metric, rows, None), usable=usable), scan)
                _assert_found(metric, _rows(metric, rows, few), scan)
                for positions in (few, safe):
                    _assert_found(metric, _rows(metric, rows, positions, coded=True), scan)
            scores = np.sort(score_rows(metric, queries[0], rows[few]))
            for after, floor in ((scores[30], NONE), (scores[50], scores[50]), (NONE, scores[40]), (scores[-1], NONE)):
                for coded in (False, True):
                    rows_scanned = _rows(metric, rows, few, coded=coded)
                    _assert_found(metric, rows_scanned, _scan(queries[:1], 10, floor=floor, after=after))


@st.composite
def _cases(draw: st.DrawFn) -> tuple[Rows, Rows, int]:
    size, count = draw(st.integers(1, 70)), draw(st.integers(1, 12))
    rows = draw(arrays.arrays(np.float32, (count, size), elements=FLOATS))
    return rows, draw(arrays.arrays(np.float32, (2, size), elements=FLOATS)), draw(st.integers(1, 15))


@pytest.mark.parametrize("path", paths())
@pytest.mark.parametrize("metric", list(Distance))
@given(case=_cases())
@settings(max_examples=40)
def test_whatever_floats_are_scanned(path: str, metric: Distance, case: tuple[Rows, Rows, int]) -> None:
    rows, queries, limit = case
    if metric.is_binary:
        rows, queries = (rows > 0).astype(np.float32), (queries > 0).astype(np.float32)
    with using(path):
        for coded in (False, True):
            _assert_found(metric, _rows(metric, rows, np.arange(len(rows)), coded=coded), _scan(queries, limit))


@pytest.mark.parametrize("path", paths())
@pytest.mark.parametrize("size", [1, 15, 16, 31, 63, 65, 127, 128, 129, 193, 1_000])
def test_products_of_the_largest_codes_are_exact(path: str, size: int) -> None:
    """Rows of one size in every component, but for one: a wrong product would put another row first."""
    rows = np.ones((size + 1, size), np.float32)
    rows[np.arange(size), np.arange(size)] = -1
    positions = np.arange(size + 1)
    with using(path):
        _assert_found(Distance.DOT, _rows(Distance.DOT, rows, positions, coded=True), _scan(rows[-1:], 1))
        _assert_found(Distance.DOT, _rows(Distance.DOT, rows, positions, coded=True), _scan(-rows[-1:], 1))


@pytest.mark.parametrize("path", paths())
def test_codes_lose_what_they_say(path: str) -> None:
    rows = np.random.default_rng(4).standard_normal((200, 77)).astype(np.float32)
    rows[3] = 0
    with using(path):
        made = native_codes(rows, np.arange(200))
    assert made is not None
    codes, scales, lost = made
    apart = rows - codes * scales[:, None].astype(np.float64)
    np.testing.assert_allclose(lost, np.sqrt(np.square(apart).sum(axis=1)), rtol=1e-5)
    assert (np.abs(apart) <= 0.501 * scales[:, None]).all()
    assert (np.abs(codes).max(axis=1)[rows.any(axis=1)] == 127).all()


def test_many_queries_are_scanned_by_several_threads() -> None:
    rows = np.random.default_rng(5).standard_normal((3_000, 40)).astype(np.float32)
    queries = np.random.default_rng(6).standard_normal((150, 40)).astype(np.float32)
    for threads in (1, 2, 7):
        _assert_found(Distance.COSINE, _rows(Distance.COSINE, rows, None), _scan(queries, 5, threads=threads))


def test_a_scan_ends_at_the_deadline() -> None:
    rows = np.ones((10, 4), np.float32)
    with pytest.raises(DeadlineExceeded):
        native_scan(_rows(Distance.DOT, rows, None), replace(_scan(rows[:1], 1), deadline=time.monotonic() - 1))


@pytest.mark.parametrize("position", [-1, 10, 2**62])
def test_positions_of_no_row_are_refused(position: int) -> None:
    rows = np.ones((10, 4), np.float32)
    with pytest.raises(KernelFailed):
        native_scan(_rows(Distance.DOT, rows, np.array([0, position])), _scan(rows[:1], 1))
    with pytest.raises(KernelFailed):
        native_codes(rows, np.array([0, position]))


def test_nothing_is_scanned_for_no_rows() -> None:
    rows = np.ones((10, 4), np.float32)
    [(positions, scores)] = native_scan(_rows(Distance.DOT, rows, np.empty(0, np.int64)), _scan(rows[:1], 1))
    assert (len(positions), len(scores)) == (0, 0)


def test_arrays_that_do_not_fit_each_other_are_refused() -> None:
    rows = np.ones((10, 4), np.float32)
    fitting, scan = _rows(Distance.DOT, rows, np.arange(10), coded=True), _scan(rows[:2], 1)
    native_scan(fitting, scan)
    codes = fitting.codes
    assert codes is not None
    for odd in (
        replace(fitting, norms=np.ones(9, np.float32)),
        replace(fitting, usable=np.ones(9, np.bool_)),
        replace(fitting, codes=codes.part(slice(9))),
        replace(fitting, codes=replace(codes, factors=codes.factors[:9])),
        replace(fitting, codes=replace(codes, codes=codes.codes[:, :3])),
    ):
        with pytest.raises(KernelFailed, match="do not fit"):
            native_scan(odd, scan)
    for other in (
        replace(scan, queries=rows[:2, :3]),
        replace(scan, limits=np.ones(1, np.int64)),
        replace(scan, floors=scan.floors[:1]),
        replace(scan, after=scan.after[:1]),
    ):
        with pytest.raises(KernelFailed, match="do not fit"):
            native_scan(fitting, other)
