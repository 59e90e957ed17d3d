"""Codes of lists: every set of instructions gives the whole numbers of numpy."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from storage.kernels import KernelFailed, code_products, unequal_bits
from storage.kernels.library import has_kernels, paths, using

native = pytest.mark.skipif(not has_kernels(), reason="there are no native kernels here")

Runs = tuple[NDArray[np.int64], NDArray[np.int64]]


@st.composite
def _runs(draw: st.DrawFn, rows: int) -> Runs:
    cuts = sorted(draw(st.lists(st.integers(0, rows), min_size=2, max_size=8)))
    return np.array(cuts[:-1], np.int64), np.array(cuts[1:], np.int64)


def _products(query: NDArray[Any], rows: NDArray[Any]) -> NDArray[Any]:
    products: NDArray[Any] = (rows.astype(np.int64) * query).sum(axis=1)
    return products


def _unequal(query: NDArray[Any], rows: NDArray[Any]) -> NDArray[Any]:
    counts: NDArray[Any] = np.unpackbits(rows ^ query, axis=1).sum(axis=1)
    return counts


def _check(function: Callable[..., Any], one: Callable[..., Any], dtype: type[np.generic], data: st.DataObject) -> None:
    size, rows = data.draw(st.integers(1, 200)), data.draw(st.integers(1, 20))
    starts, stops = data.draw(_runs(rows))
    random = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    least, most = (-127, 128) if dtype is np.int8 else (0, 256)
    codes = random.integers(least, most, (rows, size)).astype(dtype)
    queries = random.integers(least, most, (len(starts), size)).astype(dtype)
    parts = [one(query, codes[a:b]) for query, a, b in zip(queries, starts, stops, strict=True)]
    assert function(queries, codes, starts, stops).tolist() == np.concatenate(parts).tolist()


@contextmanager
def _on(path: str) -> Iterator[None]:
    """A context in which the path is used; "": the twin."""
    if path:
        with using(path):
            yield
    else:
        with patch("storage.kernels.lists.library", lambda: None):
            yield


@pytest.mark.parametrize("path", [*paths(), ""])
@given(data=st.data())
@settings(max_examples=60)
def test_products_of_codes(path: str, data: st.DataObject) -> None:
    with _on(path):
        _check(code_products, _products, np.int8, data)


@pytest.mark.parametrize("path", [*paths(), ""])
@given(data=st.data())
@settings(max_examples=60)
def test_unequal_bits(path: str, data: st.DataObject) -> None:
    with _on(path):
        _check(unequal_bits, _unequal, np.uint8, data)


@pytest.mark.parametrize("path", [*paths(), ""])
def test_products_of_the_largest_codes_of_the_largest_rows(path: str) -> None:
    """Here a sum of 32 bits would first be too small."""
    codes = np.full((2, 65_536), 127, np.int8)
    codes[1] = -127
    where = np.array([0]), np.array([2])
    with _on(path):
        assert code_products(codes[:1], codes, *where).tolist() == [65_536 * 127**2, -65_536 * 127**2]


@native
@pytest.mark.parametrize(("starts", "stops"), [([0], [5]), ([-1], [2]), ([2], [1])])
def test_runs_outside_of_the_rows_are_refused(starts: list[int], stops: list[int]) -> None:
    with pytest.raises((KernelFailed, ValueError)):
        code_products(np.ones((1, 8), np.int8), np.ones((4, 8), np.int8), np.array(starts), np.array(stops))


@native
@pytest.mark.parametrize(("size", "queries", "stops"), [(7, 1, 1), (9, 1, 1), (8, 2, 1), (8, 1, 2)])
def test_arrays_that_do_not_fit_each_other_are_refused(size: int, queries: int, stops: int) -> None:
    rows, starts = np.ones((4, 8), np.int8), np.zeros(1, np.int64)
    with pytest.raises(KernelFailed, match="do not fit"):
        code_products(np.ones((queries, size), np.int8), rows, starts, np.full(stops, 2))
