"""Finds the index that a request means: by its id, or by property and other facts. A space name, if given, decides."""

from collections.abc import Mapping
from dataclasses import dataclass

from headwater.v1.common_pb2 import Vector
from planner.predicate import parse_path
from planner.resolve import dense_space
from server.convert import join, kind_of, vector_kind, vector_of
from server.errors import AmbiguousIndex, EmbedderNotConfigured, IndexNotFound
from storage.collection import Collection
from storage.database import Database
from storage.errors import DimensionMismatch, EmptyVector, InvalidRequest, SpaceNotFound
from storage.schema import CollectionSchema, DenseSpace, Distance, IndexPolicy, IndexSource


@dataclass(frozen=True, slots=True)
class Index:
    """An index: a space with a policy, in an open collection."""

    collection: Collection
    space: str
    schema: DenseSpace

    @property
    def policy(self) -> IndexPolicy:
        assert self.schema.policy is not None
        return self.schema.policy

    @property
    def id(self) -> str:
        return index_id(self.collection, self.schema)


def index_id(collection: Collection, space: DenseSpace) -> str:
    """The id of an index. Neither part of it is ever used again. A copy of a collection has another uid."""
    return f"{collection.uid}-{space.uid}"


def index_of(database: Database, given: str) -> Index:
    """The index with this id. Raises IndexNotFound, and what opening its collection raises."""
    uid, _, number = given.rpartition("-")
    collection = database.collection_of_uid(uid) if uid else None
    if collection is not None:
        for index in indexes_of(collection):
            if str(index.schema.uid) == number:
                return index
    raise IndexNotFound(f"no index has the id {given!r}", index=given)


def indexes_of(collection: Collection) -> list[Index]:
    """The indexes of a collection in the order in which they were made."""
    spaces = [(name, space) for name, space in collection.schema.dense.items() if space.policy is not None]
    return [Index(collection, name, space) for name, space in sorted(spaces, key=lambda each: each[1].uid or 0)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a request says about its index. `size` None: the request has a text, so the index needs an embedder."""

    property: str
    size: int | None
    distance: Distance | None = None
    source: IndexSource | None = None
    using: str | None = None


def space_meant(collection: Collection, schema: CollectionSchema, wanted: Wanted, path: str, vector: str) -> str:
    """The name of the only space that fits. Errors name `path` for the index and `vector` for the vector.

    Raises SpaceNotFound, IndexNotFound, EmptyVector, DimensionMismatch, EmbedderNotConfigured, AmbiguousIndex.
    """
    if wanted.using is not None:
        if wanted.using not in schema.names:
            raise SpaceNotFound(wanted.using, schema.names, join(path, "using"))
        dense_space(schema, wanted.using, join(path, "using"))
        return wanted.using
    check_property(wanted.property, join(path, "property_name"))
    spaces = _of_property(schema, wanted)
    if not spaces:
        raise IndexNotFound(
            f"no index of {collection.name!r} is of the property {wanted.property!r}{_restriction(wanted)}",
            label=collection.name,
            property=wanted.property,
        )
    fitting = _fitting(spaces, wanted, vector)
    if len(fitting) > 1:
        candidates = [(index_id(collection, space), _described(name, space)) for name, space in fitting.items()]
        raise AmbiguousIndex(join(path, "property_name"), candidates)
    return next(iter(fitting))


def size_of(vector: Vector, field: str) -> int:
    """The number of dimensions of a vector. Raises InvalidRequest if it is not dense."""
    if vector_kind(vector, field) != "dense":
        kind_of(vector, field)  # one must be set
        raise InvalidRequest(field, "an index takes dense vectors, one for each record")
    return len(vector_of(vector, field))


def check_property(name: str, field: str) -> None:
    """Raises InvalidRequest unless `name` is the path of a property."""
    if not name:
        raise InvalidRequest(field, "give the name of a property")
    try:
        parse_path(name)
    except ValueError as error:
        raise InvalidRequest(field, str(error)) from None


def _of_property(schema: CollectionSchema, wanted: Wanted) -> dict[str, DenseSpace]:
    return {
        name: space
        for name, space in schema.dense.items()
        if space.policy is not None
        and space.policy.property == wanted.property
        and wanted.distance in (None, space.distance)
        and wanted.source in (None, space.policy.source)
    }


def _fitting(spaces: Mapping[str, DenseSpace], wanted: Wanted, vector: str) -> dict[str, DenseSpace]:
    """The indexes that accept the vector, at least one.

    Raises EmbedderNotConfigured, EmptyVector, DimensionMismatch.
    """
    if wanted.size is None:
        fitting = {name: space for name, space in spaces.items() if space.embedder is not None}
        if not fitting:
            what = f"no index of the property {wanted.property!r} has an embedder, so give a vector instead of a text"
            raise EmbedderNotConfigured(what, field=vector)
        return fitting
    if wanted.size == 0:
        raise EmptyVector(vector)
    fitting = {name: space for name, space in spaces.items() if space.size == wanted.size}
    if not fitting:
        raise DimensionMismatch(vector, expected=next(iter(spaces.values())).size, actual=wanted.size)
    return fitting


def _restriction(wanted: Wanted) -> str:
    said = [each.value for each in (wanted.source, wanted.distance) if each is not None]
    return f" and {' and '.join(said)}" if said else ""


def _described(name: str, space: DenseSpace) -> str:
    assert space.policy is not None
    return f"space {name!r}, {space.policy.source.value}, {space.distance.value}, {space.size} dimensions"
