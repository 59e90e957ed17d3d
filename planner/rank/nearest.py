"""Nearness to a vector: which way to rank it means in a space of each kind, and what such spaces do not take."""

from typing import assert_never

from planner.errors import InvalidQuery
from planner.query import Nearest
from planner.rank.by_dense_vector import InDense, bind_dense
from planner.rank.by_multi_vector import InMulti, bind_multi
from planner.rank.by_sparse_vector import InSparse, bind_sparse
from planner.resolve import Asked, Unread
from storage.schema import DenseSpace, MultiSpace, SparseSpace, kind_of_space


def bind_nearest(rank: Nearest, asked: Asked) -> Unread[InDense | InMulti | InSparse]:
    """Binds a rank by nearness. Raises InvalidQuery, and what spaces and vectors may raise."""
    name = asked.space()
    space = asked.schema.spaces[name]
    _check_kind(rank, asked, name, space)
    field = f"{asked.path}{asked.vector_field if rank.mmr is None else 'query.nearest_with_mmr.nearest'}"
    match space:
        case DenseSpace():
            return bind_dense(rank.vector, asked, name, space, field)
        case SparseSpace():
            return bind_sparse(rank.vector, asked, name, space, field)
        case MultiSpace():
            return bind_multi(rank.vector, asked, name, space, field)
    assert_never(space)


def _check_kind(rank: Nearest, asked: Asked, name: str, space: DenseSpace | SparseSpace | MultiSpace) -> None:
    """Raises InvalidQuery for settings that spaces of this kind do not support."""
    if rank.mmr is not None and not isinstance(space, DenseSpace):
        what = f"the space {name!r} is {kind_of_space(space)}; diversity is for dense ones"
        raise InvalidQuery(f"{asked.path}query.nearest_with_mmr", what)
    if asked.stage.params.sparse_metric is not None and not isinstance(space, SparseSpace):
        raise InvalidQuery(f"{asked.path}params.sparse_metric", f"the space {name!r} is {kind_of_space(space)}")
