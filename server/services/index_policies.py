"""Index policies: the RPCs of `Indexes` that make, show and delete indexes."""

import re
from collections.abc import Sequence

from headwater.v1 import indexes_pb2 as wire
from server.convert import coverage_message, index_message, ready_policy_of, similarity_of, source_of
from server.embedders import Embedders, Role
from server.errors import EmbedderNotConfigured, IndexNotFound
from server.indexes import Index, IndexCounts, IndexWorkers, check_property, index_id, index_of, indexes_of
from storage.budget import Budget
from storage.collection import Collection
from storage.database import Database
from storage.errors import (
    CollectionClosed,
    CollectionNotFound,
    CorruptStore,
    InvalidRequest,
    SpaceAlreadyExists,
    SpaceNotFound,
    UnknownFormat,
)
from storage.schema import (
    MAX_DIMENSIONS,
    MAX_NAME_BYTES,
    DenseSpace,
    Distance,
    IndexPolicy,
    IndexSource,
    SchemaChange,
    check_space_name,
)
from storage.tables import CollectionState

SIMILARITIES = (Distance.COSINE, Distance.EUCLID, Distance.DOT)
PROBE = "dimensions"
"""A text that is embedded to find the number of dimensions of an embedder's vectors."""


class IndexPolicies:
    """The RPCs of `Indexes` for the indexes themselves."""

    def __init__(self, database: Database, embedders: Embedders, workers: IndexWorkers, counts: IndexCounts) -> None:
        self._database = database
        self._embedders = embedders
        self._workers = workers
        self._counts = counts

    def create(self, request: wire.IndexesCreateRequest, budget: Budget) -> wire.IndexesCreateResponse:
        collection = self._database.collection(request.label, budget)
        check_property(request.property_name, "property_name")
        space = self._space_of(request, budget)
        assert space.policy is not None
        if request.HasField("space"):
            check_space_name(request.space, "space")
            name = request.space
            _add(collection, name, space)
        else:
            name = _add_named(collection, space)
        made = next(index for index in indexes_of(collection) if index.space == name)
        managed = space.policy.source is IndexSource.MANAGED
        status = wire.INDEX_STATUS_PENDING if managed else wire.INDEX_STATUS_AWAITING_VECTORS
        return wire.IndexesCreateResponse(index=_message(made, status))

    def get(self, request: wire.IndexesGetRequest, budget: Budget) -> wire.IndexesGetResponse:
        return wire.IndexesGetResponse(index=self._index(request.index_id, budget))

    def list(self, request: wire.IndexesListRequest, budget: Budget) -> wire.IndexesListResponse:
        response = wire.IndexesListResponse()
        for collection in self._collections(request, budget):
            budget.check()
            indexes = [
                index
                for index in indexes_of(collection)
                if request.property_name == index.policy.property or not request.HasField("property_name")
            ]
            for index in sorted(indexes, key=lambda each: each.policy.property):
                try:
                    response.indexes.append(_message(index, *self._counts.status(index, budget)))
                except (SpaceNotFound, CollectionClosed):
                    continue  # it was deleted meanwhile
        return response

    def delete(self, request: wire.IndexesDeleteRequest, budget: Budget) -> wire.IndexesDeleteResponse:
        index = index_of(self._database, request.index_id)
        message = self._index(request.index_id, budget)
        try:
            index.collection.change_schema(SchemaChange(drop=(index.space,)), budget)
        except SpaceNotFound:
            raise _not_found(request.index_id) from None
        return wire.IndexesDeleteResponse(index=message)

    def get_stats(self, request: wire.IndexesGetStatsRequest, budget: Budget) -> wire.IndexesGetStatsResponse:
        index = index_of(self._database, request.index_id)
        try:
            counted = self._counts.exact(index, budget)
        except SpaceNotFound:
            raise _not_found(request.index_id) from None
        return wire.IndexesGetStatsResponse(coverage=coverage_message(index.id, counted))

    def rearm(self, request: wire.IndexesRearmRequest, budget: Budget) -> wire.IndexesRearmResponse:
        index = index_of(self._database, request.index_id)
        if index.policy.source is not IndexSource.MANAGED:
            raise InvalidRequest("index_id", "the index is external, so the server has nothing to try again")
        managed = self._workers.of(index)
        if managed is None:
            self._workers.notify(index.collection)
        else:
            managed.rearm()
        return wire.IndexesRearmResponse(index=self._index(request.index_id, budget))

    def _index(self, given: str, budget: Budget) -> wire.Index:
        index = index_of(self._database, given)
        try:
            return _message(index, *self._counts.status(index, budget))
        except SpaceNotFound:
            raise _not_found(given) from None

    def _collections(self, request: wire.IndexesListRequest, budget: Budget) -> Sequence[Collection]:
        if request.HasField("label"):
            return [self._database.collection(request.label, budget)]
        found = []
        for name in self._database.names.collections():
            try:
                if self._database.usage.status(name).state is CollectionState.CLOSED:
                    continue
                found.append(self._database.collection(name, budget))
            except (CollectionNotFound, CollectionClosed, CorruptStore, UnknownFormat):
                continue  # a collection that cannot be opened has no usable index
        return found

    def _space_of(self, request: wire.IndexesCreateRequest, budget: Budget) -> DenseSpace:
        """The space of the new index, fully checked."""
        source = source_of(request.source, "source")
        if source is None:
            source = IndexSource.MANAGED if request.embedder else IndexSource.EXTERNAL
        distance = similarity_of(request.similarity, "similarity") or Distance.COSINE
        if distance not in SIMILARITIES:
            known = ", ".join(each.value for each in SIMILARITIES)
            raise InvalidRequest("similarity", f"{distance.value} is not possible for an index; there are: {known}")
        ready = ready_policy_of(request.ready_policy, "ready_policy")
        embedder = request.embedder or None
        if source is IndexSource.MANAGED:
            embedder = embedder or self._only_embedder()
        if embedder is not None:
            self._embedders.get(embedder, "embedder")
        size = request.dimensions
        if source is IndexSource.EXTERNAL and size == 0:
            raise InvalidRequest("dimensions", "an external index needs the number of dimensions of its vectors")
        if size > MAX_DIMENSIONS:
            raise InvalidRequest("dimensions", f"{size:,} is not between 1 and {MAX_DIMENSIONS:,}")
        if source is IndexSource.MANAGED and embedder is not None:
            size = self._dimensions(embedder, size, budget)
        policy = IndexPolicy(property=request.property_name, source=source, ready=ready)
        return DenseSpace(size=size, distance=distance, datatype_chosen=False, embedder=embedder, policy=policy)

    def _only_embedder(self) -> str:
        names = self._embedders.names
        if not names:
            what = "a managed index needs an embedder, and this server has none in its settings"
            raise EmbedderNotConfigured(what, field="source")
        if len(names) > 1:
            known = ", ".join(map(repr, names))
            raise InvalidRequest("embedder", f"name one, since this server has several: {known}")
        return names[0]

    def _dimensions(self, embedder: str, asked: int, budget: Budget) -> int:
        """The number of dimensions of the embedder's vectors. The request must ask for the same number, or for 0."""
        [row] = self._embedders.get(embedder).embed([PROBE], Role.DOCUMENT, budget)
        if asked not in (0, len(row)):
            what = f"the embedder {embedder!r} makes {len(row):,} dimensions, not {asked:,}; leave them out"
            raise InvalidRequest("dimensions", what)
        return len(row)


def _add(collection: Collection, name: str, space: DenseSpace) -> None:
    """Adds the space. Raises IndexAlreadyExists, SpaceAlreadyExists, and what adding a space raises."""
    try:
        collection.change_schema(SchemaChange(add={name: space}))
    except SpaceAlreadyExists:
        raise SpaceAlreadyExists(name, "space") from None


def _add_named(collection: Collection, space: DenseSpace) -> str:
    """Adds the space under a name that is made from the index. Returns the name."""
    wanted, number = space_name(space), 1
    while True:
        name = wanted if number == 1 else f"{wanted}-{number}"
        try:
            _add(collection, name, space)
        except SpaceAlreadyExists:
            number += 1
        else:
            return name


def space_name(space: DenseSpace) -> str:
    """The name `property.source.similarity.dimensions`.

    The property is shortened if needed, and characters that names cannot have are replaced.
    """
    assert space.policy is not None
    rest = f".{space.policy.source.value}.{space.distance.value}.{space.size}"
    room = MAX_NAME_BYTES - len(rest) - len("-999")
    text = re.sub(r"[\x00-\x1f\x7f/]", "_", space.policy.property).strip()
    return text.encode()[:room].decode(errors="ignore") + rest


def _message(index: Index, status: wire.IndexStatus, error: str = "") -> wire.Index:
    return index_message(
        index_id(index.collection, index.schema), index.collection.name, index.space, index.schema, status, error
    )


def _not_found(given: str) -> IndexNotFound:
    return IndexNotFound(f"no index has the id {given!r}", index=given)
