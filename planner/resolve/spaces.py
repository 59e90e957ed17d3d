"""Which space a request means by `using`, and of which kind it is."""

from planner.errors import AmbiguousSpace, InvalidQuery
from storage.errors import SpaceNotFound
from storage.schema import CollectionSchema, DenseSpace, kind_of_space


def space_of(using: str | None, schema: CollectionSchema, field: str) -> str:
    """The name of the space that `using` means: itself, else the unnamed space, else the only one.

    Raises SpaceNotFound if there is none of that name, AmbiguousSpace if `using` is None and there is no obvious one.
    """
    spaces = schema.spaces
    if using is not None:
        if using not in spaces:
            raise SpaceNotFound(using, schema.names, field=field)
        return using
    if "" in spaces:
        return ""
    if len(spaces) != 1:
        raise AmbiguousSpace(field, schema.names)
    return next(iter(spaces))


def dense_space(schema: CollectionSchema, space: str, field: str) -> DenseSpace:
    """The space of this name. Raises InvalidQuery if it is of another kind."""
    found = schema.spaces[space]
    if not isinstance(found, DenseSpace):
        raise InvalidQuery(field, f"the space {space!r} is {kind_of_space(found)}, which this does not take")
    return found
