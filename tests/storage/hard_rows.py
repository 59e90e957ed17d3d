"""Rows whose scores are hard to estimate: near duplicates, ties, and numbers at the ends of float32."""

import numpy as np
from numpy.typing import NDArray

from storage.schema import Distance

Rows = NDArray[np.float32]
COUNT = 600


def _random(random: np.random.Generator, size: int) -> Rows:
    return random.standard_normal((COUNT, size), np.float32)


def _near_duplicates(random: np.random.Generator, size: int) -> Rows:
    """One vector and its neighbours a few last places away."""
    steps = random.integers(-2, 3, (COUNT, size)).astype(np.int32)
    base = np.broadcast_to(random.standard_normal(size, np.float32), (COUNT, size))
    rows: Rows = (np.ascontiguousarray(base).view(np.int32) + steps).view(np.float32)
    return rows


def _far_from_the_origin(random: np.random.Generator, size: int) -> Rows:
    """Squared norms of 1e12 and squared distances of 1: in float32 their difference is noise."""
    return np.float32(1e6) + random.standard_normal((COUNT, size), np.float32)


def _many_ties(random: np.random.Generator, size: int) -> Rows:
    return random.integers(0, 2, (COUNT, size)).astype(np.float32)


def _all_norms(random: np.random.Generator, size: int) -> Rows:
    """From denormal to 1e38, with zeros."""
    rows = random.standard_normal((COUNT, size), np.float32)
    rows *= np.float32(10.0) ** random.integers(-44, 38, (COUNT, 1)).astype(np.float32)
    rows[random.random(COUNT) < 0.1] = 0
    return rows


def _denormal(random: np.random.Generator, size: int) -> Rows:
    return random.integers(-5, 6, (COUNT, size)).astype(np.float32) * np.float32(1e-45)


def _huge(random: np.random.Generator, size: int) -> Rows:
    return random.uniform(-3e38, 3e38, (COUNT, size)).astype(np.float32)


STYLES = [_random, _near_duplicates, _far_from_the_origin, _many_ties, _all_norms, _denormal, _huge]

METRICS = [metric for metric in Distance if not metric.is_binary]
