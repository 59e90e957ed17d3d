"""The RPCs of the service `Collections`."""

from collections.abc import Mapping

from headwater.v1 import collections_pb2 as wire
from planner.engine import Engine
from server.convert import change_of, collection_info, kind_of, schema_of
from server.embedders import Embedders
from storage.budget import Budget
from storage.collection import Collection
from storage.database import Database
from storage.errors import InvalidRequest, LimitExceeded
from storage.schema import MAX_DIMENSIONS, CollectionSchema, DenseSpace
from storage.tables import AliasOperation, CreateAlias, DeleteAlias, RenameAlias


class Collections:
    """The RPCs of `Collections`."""

    def __init__(self, database: Database, engine: Engine, embedders: Embedders, *, max_dimension: int) -> None:
        """`max_dimension` is the largest size of a new space."""
        self._database = database
        self._engine = engine
        self._embedders = embedders
        self._max_dimension = max_dimension

    def create(self, request: wire.CollectionsCreateRequest, budget: Budget) -> wire.CollectionsCreateResponse:
        self._check_embedders(request.vectors, "vectors")
        schema = schema_of(request)
        self._check_sizes(schema.row_spaces, "vectors")
        collection = self._database.create_collection(request.collection_name, schema, budget)
        return wire.CollectionsCreateResponse(collection=self._info(collection, budget))

    def get(self, request: wire.CollectionsGetRequest, budget: Budget) -> wire.CollectionsGetResponse:
        collection = self._database.collection(request.collection_name, budget)
        return wire.CollectionsGetResponse(collection=self._info(collection, budget))

    def list(self, request: wire.CollectionsListRequest, budget: Budget) -> wire.CollectionsListResponse:
        return wire.CollectionsListResponse(collection_names=self._database.names.collections(request.prefix))

    def exists(self, request: wire.CollectionsExistsRequest, budget: Budget) -> wire.CollectionsExistsResponse:
        return wire.CollectionsExistsResponse(exists=self._database.names.exists(request.collection_name))

    def update(self, request: wire.CollectionsUpdateRequest, budget: Budget) -> wire.CollectionsUpdateResponse:
        collection = self._database.collection(request.collection_name, budget)
        self._check_embedders(request.add_vectors, "add_vectors")
        self._check_embedders(request.update_vectors, "update_vectors")
        change = change_of(request)
        self._check_sizes(CollectionSchema(spaces=change.add).row_spaces, "add_vectors")
        collection.change_schema(change, budget)
        return wire.CollectionsUpdateResponse(collection=self._info(collection, budget))

    def delete(self, request: wire.CollectionsDeleteRequest, budget: Budget) -> wire.CollectionsDeleteResponse:
        return wire.CollectionsDeleteResponse(deleted=self._database.delete_collection(request.collection_name))

    def update_aliases(
        self, request: wire.CollectionsUpdateAliasesRequest, budget: Budget
    ) -> wire.CollectionsUpdateAliasesResponse:
        if not request.operations:
            raise InvalidRequest("operations", "give at least one")
        operations = enumerate(request.operations)
        self._database.names.update_aliases(
            [_alias_operation_of(each, f"operations[{index}]") for index, each in operations]
        )
        return wire.CollectionsUpdateAliasesResponse()

    def list_aliases(
        self, request: wire.CollectionsListAliasesRequest, budget: Budget
    ) -> wire.CollectionsListAliasesResponse:
        names = self._database.names
        collection = names.resolve(request.collection_name) if request.HasField("collection_name") else None
        return wire.CollectionsListAliasesResponse(
            aliases=[
                wire.AliasDescription(alias_name=alias.name, collection_name=alias.collection)
                for alias in names.aliases(collection)
            ]
        )

    def _check_embedders(
        self, spaces: Mapping[str, wire.VectorParams] | Mapping[str, wire.VectorParamsDiff], path: str
    ) -> None:
        """Raises EmbedderNotConfigured for a space whose embedder this server does not have."""
        for name, space in spaces.items():
            if space.embedder:
                self._embedders.get(space.embedder, f'{path}["{name}"].embedder')

    def _check_sizes(self, spaces: Mapping[str, DenseSpace], path: str) -> None:
        for name, space in spaces.items():
            if self._max_dimension < space.size <= MAX_DIMENSIONS:
                raise LimitExceeded(
                    f'{path}["{name}"].size', limit="max_dimension", maximum=self._max_dimension, actual=space.size
                )

    def _info(self, collection: Collection, budget: Budget) -> wire.CollectionInfo:
        aliases = [alias.name for alias in self._database.names.aliases(collection.name)]
        fields = self._engine.field_indexes.status(collection, budget)
        return collection_info(collection.name, collection.schema, collection.stats(), aliases, fields)


def _alias_operation_of(message: wire.AliasOperation, path: str) -> AliasOperation:
    match kind_of(message, path):
        case "create_alias":
            return CreateAlias(message.create_alias.alias_name, message.create_alias.collection_name)
        case "rename_alias":
            return RenameAlias(message.rename_alias.old_alias_name, message.rename_alias.new_alias_name)
        case _:
            return DeleteAlias(message.delete_alias.alias_name)
