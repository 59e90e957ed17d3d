"""Binds ranks by nearness to a vector, by the kind of their space."""

from functools import partial
from typing import assert_never

from planner.bind.asked import Asked
from planner.bind.stored_vectors import GivenVector, Unread
from planner.bind.vectors import bind_vector, check_dense, kind_of_vector
from planner.errors import InvalidQuery
from planner.query import Nearest, QueryVector
from planner.rank import InDense, InMulti, InSparse
from storage.schema import DenseSpace, MultiSpace, SparseModifier, SparseSpace, kind_of_space
from storage.search import MultiQuery, SparseQuery
from storage.vectors import MultiVector, SparseMetric, SparseVector, check_multi_query, check_sparse_query
from storage.write import check_query_vector


def bind_nearest(rank: Nearest, asked: Asked) -> Unread[InDense | InMulti | InSparse]:
    """Raises InvalidQuery, and what spaces and vectors may raise."""
    name = asked.space()
    space = asked.schema.spaces[name]
    _check_kind(rank, asked, name, space)
    field = f"{asked.path}{asked.vector_field if rank.mmr is None else 'query.nearest_with_mmr.nearest'}"
    match space:
        case DenseSpace():
            vector = bind_vector(rank.vector, name, partial(check_dense, space), field)
            params = asked.stage.params
            return lambda reading: InDense(name, space.distance, vector(reading), params)
        case SparseSpace():
            sparse = bind_vector(rank.vector, name, partial(_sparse_query, asked, name), field)
            by_frequency = space.modifier is not SparseModifier.NONE
            return lambda reading: InSparse(sparse(reading), name, by_frequency)
        case MultiSpace():
            matrix = bind_vector(rank.vector, name, partial(_multi_query, asked, name, space), field)
            return lambda reading: InMulti(matrix(reading), name)
    assert_never(space)


def _check_kind(rank: Nearest, asked: Asked, name: str, space: DenseSpace | SparseSpace | MultiSpace) -> None:
    """Raises InvalidQuery for what spaces of this kind do not take."""
    if rank.mmr is not None and not isinstance(space, DenseSpace):
        what = f"the space {name!r} is {kind_of_space(space)}; diversity is for dense ones"
        raise InvalidQuery(f"{asked.path}query.nearest_with_mmr", what)
    if asked.stage.params.sparse_metric is not None and not isinstance(space, SparseSpace):
        raise InvalidQuery(f"{asked.path}params.sparse_metric", f"the space {name!r} is {kind_of_space(space)}")


def _sparse_query(asked: Asked, name: str, vector: GivenVector, field: str) -> SparseQuery:
    """Raises what is wrong with a vector for a sparse space."""
    if not isinstance(vector, SparseVector):
        raise _wrong_kind(asked, name, vector, field)
    metric = asked.stage.params.sparse_metric or SparseMetric.DOT
    check_sparse_query(vector, metric, field)
    return SparseQuery(vector, metric)


def _multi_query(asked: Asked, name: str, space: MultiSpace, vector: GivenVector, field: str) -> MultiQuery:
    """The search for a matrix; a dense vector is one of one row. Raises what is wrong with it."""
    match vector:
        case MultiVector():
            check_multi_query(space.tokens, vector, field)
            matrix = vector
        case QueryVector():
            check_query_vector(space.tokens, vector.values, field)
            matrix = MultiVector(vector.values[None, :])
        case SparseVector():
            raise _wrong_kind(asked, name, vector, field)
    params = asked.stage.params
    exact = params.exact or asked.stage.search_after is not None  # graphs nominate only so many
    return MultiQuery(matrix, exact, params.hnsw_ef, params.ivf_nprobe)


def _wrong_kind(asked: Asked, name: str, vector: GivenVector, field: str) -> InvalidQuery:
    space = kind_of_space(asked.schema.spaces[name])
    return InvalidQuery(field, f"the space {name!r} is {space}, and the vector is {kind_of_vector(vector)}")
