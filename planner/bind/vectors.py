"""Which query vectors are refused, and why: by the kind of their space.

Vectors of stored points are stored_vectors.py's.
"""

from planner.bind.ranks import check_vector
from planner.errors import InvalidQuery
from planner.query import Nearest, QueryVector, Stage, StoredVector, VectorInput
from storage.schema import CollectionSchema, DenseSpace, MultiSpace, SparseSpace
from storage.vectors import MultiVector, SparseMetric, SparseVector, check_multi_query, check_sparse_query
from storage.write import check_point_id


def check_nearest(stage: Stage, schema: CollectionSchema, space: str, path: str, field: str) -> None:
    """`space` is the stage's; `path` its own, with a dot at the end unless it is empty; `field` its vector's."""
    assert isinstance(stage.query, Nearest)
    if space in schema.body_spaces and stage.query.mmr is not None:
        what = f"the space {space!r} is {kind_of_space(schema, space)}; diversity is for dense ones"
        raise InvalidQuery(f"{path}query.nearest_with_mmr", what)
    if stage.params.sparse_metric is not None and not isinstance(schema.body_spaces.get(space), SparseSpace):
        what = f"the space {space!r} is {kind_of_space(schema, space)}"
        raise InvalidQuery(f"{path}params.sparse_metric", what)
    check_input(stage.query.vector, schema, space, field, stage.params.sparse_metric)


def check_input(
    vector: VectorInput, schema: CollectionSchema, space: str, field: str, metric: SparseMetric | None = None
) -> None:
    """Raises what is wrong with a vector for a space; of a stored one only the id is checked."""
    if space in schema.dense:
        return check_vector(vector, schema.dense[space], field)
    record_space = schema.body_spaces[space]
    match record_space, vector:
        case _, StoredVector():
            check_point_id(vector.id, f"{field}.id")
        case SparseSpace(), SparseVector():
            check_sparse_query(vector, metric or SparseMetric.DOT, field)
        case MultiSpace(tokens=tokens), MultiVector():
            check_multi_query(tokens, vector, field)
        case MultiSpace(tokens=tokens), QueryVector():  # one row
            check_vector(vector, tokens, field)
        case _:
            kind = {SparseVector: "sparse", MultiVector: "a matrix", QueryVector: "dense"}[type(vector)]
            raise InvalidQuery(
                field, f"the space {space!r} is {kind_of_space(schema, space)}, and the vector is {kind}"
            )


def dense_space(schema: CollectionSchema, space: str, field: str) -> DenseSpace:
    """The space of this name. Raises InvalidQuery when it is of another kind."""
    if space not in schema.dense:
        what = f"the space {space!r} is {kind_of_space(schema, space)}, which this does not take"
        raise InvalidQuery(field, what)
    return schema.dense[space]


def kind_of_space(schema: CollectionSchema, space: str) -> str:
    """As errors call it."""
    if space in schema.dense:
        return "dense"
    return "sparse" if isinstance(schema.body_spaces[space], SparseSpace) else "one of multi-vectors"
