"""Estimates what a build takes before it runs: memory from the sizes of its data, time from a short measurement."""

import math
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from storage.errors import BuildTooLarge
from storage.index import has_kernel
from storage.ivf import ROWS_AT_ONCE, sample_size, wanted_lists
from storage.schema import Datatype, DenseSpace, IndexKind
from storage.segments import BlockView, SpaceView, wants_index

_LEVEL_SHARE = 1.0 / 16  # each level of a graph has about 1/16 of the nodes below
_LINK_BYTES = 5
_GRAPH_OVERHEAD = 24  # bytes a node: key, lengths
_COMPARISONS = 8.0  # distances computed per width of the walk when a row is added, measured on 24,000 embeddings
# Measured by building 24,000 x 384 and 200,000 x 64. These come on top of matrix products:
_SECONDS_A_STEP = 9e-8  # a step of a walk waits for memory
_SECONDS_A_LIST = 1e-9  # choosing the nearest list of a row
_SECONDS_A_COMPONENT = 1.1e-8  # reading, summing and encoding a row
_BASE_BYTES = 64 * 2**20  # the interpreter with its libraries

_BYTES = {
    Datatype.FLOAT32: 4.0,
    Datatype.BFLOAT16: 2.0,
    Datatype.FLOAT16: 2.0,
    Datatype.INT8: 1.0,
    Datatype.BINARY: 0.125,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What building the index of `rows` takes. Bytes exclude mapped files; seconds are of one core."""

    rows: int
    index: IndexKind
    lists: tuple[int, ...] = ()
    sample_rows: int = 0
    peak_bytes: int
    seconds: float


@dataclass(frozen=True, slots=True)
class SpaceEstimate:
    """What building the index of one sealed block of `space` takes."""

    space: str
    estimate: Estimate


def estimates(spaces: Mapping[str, SpaceView], only: str | None = None) -> list[SpaceEstimate]:
    """What building the index of each sealed block of `spaces` takes. `only`: the name of one space, or None for
    all."""
    return [
        SpaceEstimate(name, estimate_build(view.schema, block.count - block.block.deaths, _imported(view)))
        for name, view in spaces.items()
        if only is None or name == only
        for entry, block in zip(view.manifest.blocks, view.blocks, strict=True)
        if entry.end_row is not None and wants_index(view.schema)
    ]


def check_memory(space: SpaceView, blocks: Sequence[BlockView], maximum: int) -> None:
    """Raises BuildTooLarge when one index over all `blocks` would take more than `maximum` bytes to build."""
    rows = sum(block.count - block.block.deaths for block in blocks)
    needed = estimate_build(space.schema, rows, _imported(space)).peak_bytes
    if needed > maximum:
        raise BuildTooLarge(needed=needed, maximum=maximum)


def memory_of(space: SpaceView, blocks: Collection[int]) -> int:
    """Bytes that building one index over the living rows of `blocks`, by uid, takes; 0 when they get none."""
    if not wants_index(space.schema):
        return 0
    rows = sum(view.count - view.block.deaths for view in space.blocks if view.block.uid in blocks)
    return estimate_build(space.schema, rows, _imported(space)).peak_bytes


def most_rows(space: SpaceView, maximum: int, limit: int) -> int:
    """The largest number of rows, at most `limit`, that one index can be built of in `maximum` bytes."""
    if not wants_index(space.schema):
        return limit
    lists = _imported(space)
    low, high = 0, limit
    while low < high:
        rows = (low + high + 1) // 2
        if estimate_build(space.schema, rows, lists).peak_bytes <= maximum:
            low = rows
        else:
            high = rows - 1
    return low


def _imported(space: SpaceView) -> tuple[int, ...] | None:
    """Nodes of each level of the partition that a client sent; None when no client did."""
    partition = space.manifest.partition
    return None if partition is None else partition.lists


def estimate_build(space: DenseSpace, rows: int, imported: tuple[int, ...] | None = None) -> Estimate:
    """What building one index over `rows` of a space takes.

    `imported`: nodes of each level of a partition that need not be computed.
    """
    if space.index is IndexKind.IVF:
        return _of_lists(space, rows, imported)
    if not has_kernel(space.distance):
        return Estimate(rows=rows, index=IndexKind.FLAT, peak_bytes=0, seconds=0.0)
    return _of_graph(space, rows)


def _of_lists(space: DenseSpace, rows: int, imported: tuple[int, ...] | None) -> Estimate:
    lists = imported or wanted_lists(space.ivf, rows)
    sample = 0 if imported else sample_size(space.ivf, rows)
    lowest = lists[-1]
    row_bytes = 4 * space.size
    # k-means holds the sample three times (as read, as compared, sorted by cluster) and a block of distances.
    clustering = 3 * sample * row_bytes + 3 * lowest * row_bytes + 4 * ROWS_AT_ONCE * lowest
    assigning = 8 * 3 * rows + 2 * lowest * row_bytes + ROWS_AT_ONCE * (4 * lowest + 3 * row_bytes)
    compared = sample * space.ivf.iterations + rows
    product = 2.0 * space.size * lowest / _flops_per_second()
    return Estimate(
        rows=rows,
        index=IndexKind.IVF,
        lists=lists,
        sample_rows=sample,
        peak_bytes=_BASE_BYTES + int(max(clustering, assigning)),
        seconds=compared * (product + _SECONDS_A_LIST * lowest + _SECONDS_A_COMPONENT * space.size),
    )


def _of_graph(space: DenseSpace, rows: int) -> Estimate:
    node = _BYTES[space.datatype] * space.size + _GRAPH_OVERHEAD + 2 * _LINK_BYTES * space.hnsw.m * (1 + _LEVEL_SHARE)
    distances = rows * _COMPARISONS * space.hnsw.ef_construct * max(1.0, math.log10(max(rows, 1)) / 4)
    # A walk computes at about 1/24 of the speed of matrix products, and waits for memory at each step.
    seconds = distances * (24 * 2.0 * space.size / _flops_per_second() + _SECONDS_A_STEP)
    return Estimate(rows=rows, index=IndexKind.HNSW, peak_bytes=_BASE_BYTES + int(node * rows), seconds=seconds)


@cache
def _flops_per_second() -> float:
    """Float32 operations of matrix products per second, measured once in a few milliseconds."""
    left, right = np.ones((256, 512), np.float32), np.ones((512, 256), np.float32)
    left @ right
    best = math.inf
    for _ in range(5):
        started = time.perf_counter()
        left @ right
        best = min(best, time.perf_counter() - started)
    return 2.0 * 256 * 512 * 256 / best
