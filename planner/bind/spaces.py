"""Which space a request means by `using`, and of which kind it is."""

from typing import assert_never

from planner.errors import AmbiguousSpace, InvalidQuery
from storage.errors import SpaceNotFound
from storage.schema import CollectionSchema, DenseSpace, MultiSpace, SparseSpace


def space_of(using: str | None, schema: CollectionSchema, field: str) -> str:
    """The space meant by `using`: itself, else the unnamed one, else the only one.

    Raises SpaceNotFound when there is none of that name, AmbiguousSpace when none can be chosen.
    """
    names = schema.names
    if using is not None:
        if using not in names:
            raise SpaceNotFound(using, names, field=field)
        return using
    if "" in names:
        return ""
    if len(names) != 1:
        raise AmbiguousSpace(field, names)
    return names[0]


def dense_space(schema: CollectionSchema, space: str, field: str) -> DenseSpace:
    """The space of this name. Raises InvalidQuery when it is of another kind."""
    found = schema.spaces[space]
    if not isinstance(found, DenseSpace):
        raise InvalidQuery(field, f"the space {space!r} is {kind_of_space(found)}, which this does not take")
    return found


def kind_of_space(space: DenseSpace | SparseSpace | MultiSpace) -> str:
    """As errors call it."""
    match space:
        case DenseSpace():
            return "dense"
        case SparseSpace():
            return "sparse"
        case MultiSpace():
            return "one of multi-vectors"
    assert_never(space)
