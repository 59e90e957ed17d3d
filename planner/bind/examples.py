"""Binds ranks by likeness to examples: recommendation, discovery, context."""

from collections.abc import Callable, Sequence
from functools import partial

from planner.bind.asked import Asked
from planner.bind.average import average
from planner.bind.stored_vectors import Reading, Unread
from planner.bind.vectors import bind_vector, check_dense
from planner.errors import InvalidQuery
from planner.limits import MAX_EXAMPLES
from planner.query import (
    Context,
    ContextPair,
    Discover,
    QueryVector,
    Recommend,
    RecommendStrategy,
    VectorInput,
)
from planner.rank import BoundContext, BoundDiscover, BoundPair, BoundRecommend, InDense, InSpace
from storage.errors import LimitExceeded
from storage.schema import DenseSpace
from storage.write import check_query_vector

_Bind = Callable[[VectorInput, str], Unread[QueryVector]]
"""Binds an example of the field."""


def bind_recommend(rank: Recommend, asked: Asked) -> Unread[InDense | InSpace]:
    """An average becomes the vector to be near to. Raises InvalidQuery, LimitExceeded, and what vectors may raise."""
    name, space = asked.dense_space()
    bind, path = _binder(name, space), f"{asked.path}query.recommend"
    _check_count(len(rank.positive) + len(rank.negative), path)
    if not rank.positive and not rank.negative:
        raise InvalidQuery(path, "an example is needed")
    if not rank.positive and rank.strategy is RecommendStrategy.AVERAGE:
        raise InvalidQuery(f"{path}.positive", "an average needs a positive example")
    positive = _bind_all(rank.positive, bind, f"{path}.positive")
    negative = _bind_all(rank.negative, bind, f"{path}.negative")
    strategy = rank.strategy
    if strategy is RecommendStrategy.AVERAGE:

        def nearest(reading: Reading) -> InDense:
            middle = average(positive(reading), negative(reading), space.distance)
            check_query_vector(space, middle, path)
            return InDense(name, space.distance, QueryVector(middle), asked.stage.params)

        return nearest
    return lambda reading: InSpace(BoundRecommend(strategy, positive(reading), negative(reading)), name, space.distance)


def bind_discover(rank: Discover, asked: Asked) -> Unread[InSpace]:
    """Raises InvalidQuery, LimitExceeded, and what spaces and vectors may raise."""
    name, space = asked.dense_space()
    bind, path = _binder(name, space), f"{asked.path}query.discover"
    target = bind(rank.target, f"{path}.target")
    pairs = _bind_pairs(rank.pairs, bind, f"{path}.context")
    return lambda reading: InSpace(BoundDiscover(target(reading), pairs(reading)), name, space.distance)


def bind_context(rank: Context, asked: Asked) -> Unread[InSpace]:
    """Raises InvalidQuery, LimitExceeded, and what spaces and vectors may raise."""
    name, space = asked.dense_space()
    pairs = _bind_pairs(rank.pairs, _binder(name, space), f"{asked.path}query.context.pairs")
    return lambda reading: InSpace(BoundContext(pairs(reading)), name, space.distance)


def _binder(name: str, space: DenseSpace) -> _Bind:
    check = partial(check_dense, space)
    return lambda vector, field: bind_vector(vector, name, check, field)


def _bind_all(vectors: Sequence[VectorInput], bind: _Bind, path: str) -> Unread[tuple[QueryVector, ...]]:
    bound = [bind(vector, f"{path}[{index}]") for index, vector in enumerate(vectors)]
    return lambda reading: tuple(vector(reading) for vector in bound)


def _bind_pairs(pairs: Sequence[ContextPair], bind: _Bind, path: str) -> Unread[tuple[BoundPair, ...]]:
    _check_count(2 * len(pairs), path)
    if not pairs:
        raise InvalidQuery(path, "a context pair is needed")
    bound = [
        (bind(pair.positive, f"{path}[{index}].positive"), bind(pair.negative, f"{path}[{index}].negative"))
        for index, pair in enumerate(pairs)
    ]
    return lambda reading: tuple(BoundPair(positive(reading), negative(reading)) for positive, negative in bound)


def _check_count(examples: int, path: str) -> None:
    if examples > MAX_EXAMPLES:
        raise LimitExceeded(path, limit="MAX_EXAMPLES", maximum=MAX_EXAMPLES, actual=examples)
