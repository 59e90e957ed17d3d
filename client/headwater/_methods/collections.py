"""The namespace `.collections`: collections, their schema and their aliases, blocking and async."""

from collections.abc import Mapping, Sequence
from typing import Any

from headwater import _rpcs as rpcs
from headwater._rpc import AsyncNamespace, BlockingNamespace, Namespace, remote
from headwater._wire import (
    alias_of,
    alias_operation_message,
    info_of,
    name_list,
    optimizers_message,
    payload_schema_messages,
    sparse_vectors_messages,
    text_index_messages,
    vectors_diff_messages,
    vectors_messages,
)
from headwater.errors import CollectionAlreadyExistsError, CollectionNotFoundError
from headwater.models import (
    Alias,
    AliasOperation,
    CollectionInfo,
    CreateAlias,
    DeleteAlias,
    OptimizersConfigLike,
    PayloadSchema,
    RenameAlias,
    SparseVectorParams,
    SparseVectorsConfig,
    TextIndexesConfig,
    VectorParams,
    VectorParamsDiff,
    VectorsConfig,
)
from headwater.v1 import collections_pb2

Names = list[str]
Aliases = list[Alias]


class CollectionMethods(Namespace):
    """Collections and their aliases. `timeout` is in seconds; None: the client's. All raise HeadwaterError."""

    __slots__ = ()

    @remote
    async def create(
        self,
        name: str,
        vectors_config: VectorsConfig | None = None,
        *,
        sparse_vectors: SparseVectorsConfig | None = None,
        optimizers_config: OptimizersConfigLike | None = None,
        payload_schema: PayloadSchema | None = None,
        text_indexes: TextIndexesConfig | None = None,
        timeout: float | None = None,
    ) -> CollectionInfo:
        """Creates a collection. Raises CollectionAlreadyExistsError when the name is taken.

        `vectors_config` is one VectorParams for an unnamed space, or a dict by space name. `sparse_vectors` takes the
        same of SparseVectorParams. `text_indexes` are by the path of their field. `payload_schema` declares indexes of
        payload fields by path: `{"price": "float"}`. Spaces and indexes can be added later.
        """
        return await self._create(
            name, vectors_config, sparse_vectors, optimizers_config, payload_schema, text_indexes, timeout
        )

    @remote
    async def get_or_create(
        self,
        name: str,
        vectors_config: VectorsConfig | None = None,
        *,
        sparse_vectors: SparseVectorsConfig | None = None,
        optimizers_config: OptimizersConfigLike | None = None,
        payload_schema: PayloadSchema | None = None,
        text_indexes: TextIndexesConfig | None = None,
        timeout: float | None = None,
    ) -> CollectionInfo:
        """Returns the collection with this name, and creates it if there is none. An existing one keeps its settings.

        Two callers may do this at once. `timeout` holds for each of up to three calls.
        """
        try:
            return await self._get(name, timeout)
        except CollectionNotFoundError:
            pass
        try:
            return await self._create(
                name, vectors_config, sparse_vectors, optimizers_config, payload_schema, text_indexes, timeout
            )
        except CollectionAlreadyExistsError:
            return await self._get(name, timeout)

    @remote
    async def get_info(self, name: str, *, timeout: float | None = None) -> CollectionInfo:
        """Returns the settings and the counts of a collection. Raises CollectionNotFoundError."""
        return await self._get(name, timeout)

    @remote
    async def list(self, *, prefix: str = "", timeout: float | None = None) -> Names:
        """Returns the names of all collections that start with `prefix`, sorted."""
        request = collections_pb2.CollectionsListRequest(prefix=prefix)
        return [*(await self._calls(rpcs.Collections.LIST, request, timeout)).collection_names]

    @remote
    async def exists(self, name: str, *, timeout: float | None = None) -> bool:
        """Returns whether a collection or an alias has this name."""
        request = collections_pb2.CollectionsExistsRequest(collection_name=name)
        return (await self._calls(rpcs.Collections.EXISTS, request, timeout)).exists

    @remote
    async def update(
        self,
        name: str,
        *,
        add_vectors: Mapping[str, VectorParams | Mapping[str, Any]] | None = None,
        drop_vectors: Sequence[str] = (),
        add_sparse_vectors: Mapping[str, SparseVectorParams | Mapping[str, Any]] | None = None,
        drop_sparse_vectors: Sequence[str] = (),
        update_vectors: Mapping[str, VectorParamsDiff | Mapping[str, Any]] | None = None,
        optimizers_config: OptimizersConfigLike | None = None,
        timeout: float | None = None,
    ) -> CollectionInfo:
        """Adds and drops vector spaces and changes settings: all or nothing. Returns the collection after the change.

        `drop_vectors` drops spaces of any kind.
        """
        request = collections_pb2.CollectionsUpdateRequest(
            collection_name=name,
            add_vectors=vectors_messages(add_vectors),
            drop_vectors=name_list(drop_vectors, "drop_vectors"),
            add_sparse_vectors=sparse_vectors_messages(add_sparse_vectors),
            drop_sparse_vectors=name_list(drop_sparse_vectors, "drop_sparse_vectors"),
            update_vectors=vectors_diff_messages(update_vectors),
            optimizers_config=optimizers_message(optimizers_config),
        )
        return info_of((await self._calls(rpcs.Collections.UPDATE, request, timeout)).collection)

    @remote
    async def delete(self, name: str, *, strict: bool = True, timeout: float | None = None) -> bool:
        """Deletes a collection with all its data and its aliases. Returns whether it existed.

        Raises CollectionNotFoundError when there is none, unless `strict` is false. An alias is refused: use
        `delete_alias`.
        """
        request = collections_pb2.CollectionsDeleteRequest(collection_name=name)
        deleted = (await self._calls(rpcs.Collections.DELETE, request, timeout)).deleted
        if strict and not deleted:
            raise CollectionNotFoundError(f"no collection is named {name!r}", metadata={"collection": name})
        return deleted

    @remote
    async def update_aliases(self, operations: Sequence[AliasOperation], *, timeout: float | None = None) -> None:
        """Creates, renames and deletes aliases, in order: all or nothing."""
        await self._change_aliases(operations, timeout)

    @remote
    async def create_alias(self, alias: str, collection: str, *, timeout: float | None = None) -> None:
        """Makes an alias point to a collection. An existing alias is moved."""
        await self._change_aliases([CreateAlias(alias, collection)], timeout)

    @remote
    async def rename_alias(self, old: str, new: str, *, timeout: float | None = None) -> None:
        """Renames an alias to a free name. Raises AliasNotFoundError."""
        await self._change_aliases([RenameAlias(old, new)], timeout)

    @remote
    async def delete_alias(self, alias: str, *, timeout: float | None = None) -> None:
        """Deletes an alias. Raises AliasNotFoundError."""
        await self._change_aliases([DeleteAlias(alias)], timeout)

    @remote
    async def list_aliases(self, collection: str | None = None, *, timeout: float | None = None) -> Aliases:
        """Returns all aliases, or those of one collection, sorted by name."""
        request = collections_pb2.CollectionsListAliasesRequest(collection_name=collection)
        response = await self._calls(rpcs.Collections.LIST_ALIASES, request, timeout)
        return [alias_of(alias) for alias in response.aliases]

    async def _get(self, name: str, timeout: float | None) -> CollectionInfo:
        request = collections_pb2.CollectionsGetRequest(collection_name=name)
        return info_of((await self._calls(rpcs.Collections.GET, request, timeout)).collection)

    async def _create(
        self,
        name: str,
        vectors_config: VectorsConfig | None,
        sparse_vectors: SparseVectorsConfig | None,
        optimizers_config: OptimizersConfigLike | None,
        payload_schema: PayloadSchema | None,
        text_indexes: TextIndexesConfig | None,
        timeout: float | None,
    ) -> CollectionInfo:
        request = collections_pb2.CollectionsCreateRequest(
            collection_name=name,
            vectors=vectors_messages(vectors_config),
            sparse_vectors=sparse_vectors_messages(sparse_vectors),
            optimizers_config=optimizers_message(optimizers_config),
            payload_schema=payload_schema_messages(payload_schema),
            text_indexes=text_index_messages(text_indexes),
        )
        return info_of((await self._calls(rpcs.Collections.CREATE, request, timeout)).collection)

    async def _change_aliases(self, operations: Sequence[AliasOperation], timeout: float | None) -> None:
        request = collections_pb2.CollectionsUpdateAliasesRequest(
            operations=[alias_operation_message(operation) for operation in operations]
        )
        await self._calls(rpcs.Collections.UPDATE_ALIASES, request, timeout)


class Collections(CollectionMethods, BlockingNamespace):
    """`client.collections`."""

    __slots__ = ()


class AsyncCollections(CollectionMethods, AsyncNamespace):
    """`client.collections` of an AsyncClient."""

    __slots__ = ()
