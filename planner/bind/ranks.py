"""Which ranks are refused, and why, as far as a schema tells: one check per way to rank. Stages are in stages.py."""

import math

from planner.errors import InvalidQuery
from planner.limits import MAX_EXAMPLES, MAX_MMR_CANDIDATES
from planner.payload_index import compares_instants
from planner.predicate import EXPECTED, check_path, instant_of
from planner.query import (
    ByExamples,
    Context,
    ContextPair,
    Discover,
    Mmr,
    OrderBy,
    QueryVector,
    Recommend,
    RecommendStrategy,
    Sample,
    StoredVector,
    VectorInput,
)
from storage.errors import LimitExceeded, NotFinite
from storage.schema import CollectionSchema, DenseSpace
from storage.vectors import MultiVector, SparseVector
from storage.write import check_point_id, check_query_vector


def check_vector(vector: VectorInput, space: DenseSpace, path: str) -> None:
    """`path` is the vector's own. Of a stored vector only the id is checked; stored_vectors.py checks the rest."""
    match vector:
        case QueryVector():
            check_query_vector(space, vector.values, path)
        case SparseVector() | MultiVector():
            kind = "sparse" if isinstance(vector, SparseVector) else "a matrix"
            raise InvalidQuery(path, f"the space is dense, and the vector is {kind}")
        case StoredVector():
            check_point_id(vector.id, f"{path}.id")


def check_order_by(order: OrderBy, schema: CollectionSchema, path: str) -> None:
    check_path(order.path, f"{path}.path")
    if isinstance(order.start_from, float) and not math.isfinite(order.start_from):
        raise NotFinite(f"{path}.start_from", f"{order.start_from} is not finite")
    start = order.start_from
    if start is not None and compares_instants(order.path, schema) and _is_no_instant(start):
        what = f"the index of {order.path!r} orders by instants, and {start!r} is not {EXPECTED}"
        raise InvalidQuery(f"{path}.start_from", what)


def _is_no_instant(value: object) -> bool:
    return not isinstance(value, str) or instant_of(value) is None


def check_sample(sample: Sample, path: str) -> None:
    if sample.seed is not None and not 0 <= sample.seed < 2**64:
        raise InvalidQuery(f"{path}.seed", f"{sample.seed} is not between 0 and 2^64 - 1")


def check_by_examples(rank: ByExamples, space: DenseSpace, path: str) -> None:
    """`path` is the query's."""
    match rank:
        case Recommend():
            _check_recommend(rank, space, f"{path}.recommend")
        case Discover(target=target, pairs=pairs):
            check_vector(target, space, f"{path}.discover.target")
            _check_pairs(pairs, space, f"{path}.discover.context")
        case Context(pairs=pairs):
            _check_pairs(pairs, space, f"{path}.context.pairs")


def _check_recommend(rank: Recommend, space: DenseSpace, path: str) -> None:
    _check_count(len(rank.positive) + len(rank.negative), path)
    if not rank.positive and not rank.negative:
        raise InvalidQuery(path, "an example is needed")
    if not rank.positive and rank.strategy is RecommendStrategy.AVERAGE:
        raise InvalidQuery(f"{path}.positive", "an average needs a positive example")
    for name, examples in (("positive", rank.positive), ("negative", rank.negative)):
        for index, example in enumerate(examples):
            check_vector(example, space, f"{path}.{name}[{index}]")


def _check_pairs(pairs: tuple[ContextPair, ...], space: DenseSpace, path: str) -> None:
    _check_count(2 * len(pairs), path)
    if not pairs:
        raise InvalidQuery(path, "a context pair is needed")
    for index, pair in enumerate(pairs):
        check_vector(pair.positive, space, f"{path}[{index}].positive")
        check_vector(pair.negative, space, f"{path}[{index}].negative")


def _check_count(examples: int, path: str) -> None:
    if examples > MAX_EXAMPLES:
        raise LimitExceeded(path, limit="MAX_EXAMPLES", maximum=MAX_EXAMPLES, actual=examples)


def check_mmr(mmr: Mmr, limit: int, path: str) -> None:
    """`limit` is the stage's: fewer candidates could not fill the first page."""
    if not math.isfinite(mmr.diversity):
        raise NotFinite(f"{path}.diversity", f"{mmr.diversity} is not finite")
    if not 0 <= mmr.diversity <= 1:
        raise InvalidQuery(f"{path}.diversity", f"{mmr.diversity:g} is not between 0 and 1")
    most = max(limit, mmr.candidates or 0)
    if most > MAX_MMR_CANDIDATES:
        raise LimitExceeded(f"{path}.candidates", limit="MAX_MMR_CANDIDATES", maximum=MAX_MMR_CANDIDATES, actual=most)
    if mmr.candidates is not None and mmr.candidates < limit:
        raise InvalidQuery(f"{path}.candidates", f"{mmr.candidates:,} is less than the limit ({limit:,})")
