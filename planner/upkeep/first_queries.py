"""Runs queries just after a collection was opened, so that the first real queries are not slow.

A first query reads pages of files, computes lengths of rows, makes libraries of linear algebra allocate memory, and
runs code for the first time. The answers are thrown away. Spaces that would take long to scan are not searched.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice

import numpy as np

from planner.predicate import first_key, parse_path, values_at
from planner.query import Bm25, Equal, Filter, Nearest, Query, QueryVector, Scalar, Stage
from planner.resolve import CheckedFilter, derived_filter
from planner.text import texts_at
from storage.budget import Budget
from storage.errors import Cancelled, EngineError
from storage.mvcc import Snapshot
from storage.search import try_sparse
from storage.segments import SpaceView
from storage.vectors import MultiVector

log = logging.getLogger(__name__)

Payload = dict[str, object]

MAX_SCANNED_BYTES = 64 * 2**20
"""Bytes of vectors without a graph that a search scans within some tens of milliseconds."""
MAX_MEASURED_BYTES = 2**30
"""In larger spaces, the lengths of rows without a graph are left to the first search: reading them takes seconds."""

_SAMPLE = 4  # payloads from which values and words are taken
_WORDS = 3


def ask_first(
    reader: Snapshot, query: Callable[[Query], object], evaluate: Callable[[CheckedFilter], object], budget: Budget
) -> None:
    """Runs each query by one of the functions. Raises Cancelled.

    Other errors are only logged, since no caller waits.
    """
    payloads = list(_sample(reader))
    asked: list[Callable[[], object]] = [partial(query, each) for each in _queries(reader, payloads)]
    asked += [partial(evaluate, each) for each in _filters(reader, payloads)]
    asked += [partial(try_sparse, reader, each, budget) for each in reader.schema.sparse]
    asked += [partial(_measure_rows, view, budget) for view in reader.spaces.values()]
    for ask in asked:
        try:
            ask()
        except Cancelled:
            raise
        except EngineError as error:
            log.debug("a first query of a collection: %s", error)


def _queries(reader: Snapshot, payloads: Sequence[Payload]) -> Iterator[Query]:
    """One query of each kind that the collection is made for, the most useful ones first."""
    for name in reader.schema.dense:
        if _is_quick(reader.spaces[name]):
            ones = np.ones(reader.spaces[name].schema.size, np.float32)
            yield Query(root=Stage(query=Nearest(QueryVector(ones)), using=name))
    for path in reader.schema.text_indexes:
        words = [word for payload in payloads for text in texts_at(payload, parse_path(path)) for word in text.split()]
        words = [word for word in words if word.isalnum()]
        if words:
            yield Query(root=Stage(query=Bm25(text=" ".join(words[:_WORDS]), fields=((path, 1.0),))))
    for name, space in reader.schema.multi.items():
        if _is_quick(reader.spaces[name]):
            ones = np.ones((2, space.tokens.size), np.float32)
            yield Query(root=Stage(query=Nearest(MultiVector(ones)), using=name))


def _filters(reader: Snapshot, payloads: Sequence[Payload]) -> Iterator[CheckedFilter]:
    """One filter for each declared field that is not lazy, with a value that is stored."""
    for path, params in reader.schema.field_indexes.items():
        values = [value for payload in payloads for value in values_at(payload, parse_path(path))]
        value = next((value for value in values if isinstance(value, Scalar)), None)
        if value is not None and not params.lazy:
            yield derived_filter(Filter(must=(Equal(path, value),)))


def _is_quick(view: SpaceView) -> bool:
    """Whether the space is not empty, and a search scans little of it."""
    return bool(view.row_count) and _scanned_bytes(view) <= MAX_SCANNED_BYTES


def _scanned_bytes(view: SpaceView) -> int:
    return sum(block.vectors.nbytes for block in view.blocks if block.index is None)


def _measure_rows(view: SpaceView, budget: Budget) -> None:
    """Computes the lengths of the rows that a search scans. Otherwise the first search would read all of them twice."""
    if _scanned_bytes(view) <= MAX_MEASURED_BYTES:
        for block in view.blocks:
            if block.index is None:
                block.norms(budget.check)


def _sample(reader: Snapshot) -> Iterator[Payload]:
    """Some payloads, with only the keys that are indexed. Raises CorruptStore."""
    keys = {first_key(path) for path in (*reader.schema.text_indexes, *reader.schema.field_indexes)}
    for record in islice(reader.scan(), _SAMPLE if keys else 0):
        yield reader.codec.decode(record.payload, keys)
