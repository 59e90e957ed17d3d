"""Indexes of payload fields: the methods of `.points` that declare and delete them."""

from collections.abc import Mapping
from typing import Any

from headwater import _rpcs as rpcs
from headwater._rpc import Namespace, remote
from headwater._wire import field_index_message, field_index_of
from headwater.models import FieldIndexInfo, FieldIndexLike, FieldIndexParams
from headwater.v1 import points_pb2


class FieldIndexes(Namespace):
    """Declared indexes of payload fields. `collections.get_info` shows them. `timeout` is in seconds."""

    __slots__ = ()

    @remote
    async def create_field_index(
        self,
        collection: str,
        path: str,
        field_type: FieldIndexLike | None = None,
        params: FieldIndexParams | Mapping[str, Any] | None = None,
        *,
        wait: bool = True,
        timeout: float | None = None,
    ) -> FieldIndexInfo:
        """Declares an index of the payload at `path` (`a`, `a.b`, `a[].b`), durably. Reads and writes go on meanwhile.

        `field_type` ("float") or `params` gives the type. With `wait` the index is READY on return; else it is built in
        the background. Declaring an equal index again changes nothing. Raises FieldIndexAlreadyExistsError when the
        path has a different index. After DeadlineExceededError the index is declared and still being built.
        """
        request = points_pb2.PointsCreateFieldIndexRequest(
            collection_name=collection, path=path, params=field_index_message(field_type, params), wait=wait
        )
        return field_index_of((await self._calls(rpcs.Points.CREATE_FIELD_INDEX, request, timeout)).index)

    @remote
    async def delete_field_index(self, collection: str, path: str, *, timeout: float | None = None) -> bool:
        """Deletes a declared index, durably. Filters work without it. Returns False when the path has none."""
        request = points_pb2.PointsDeleteFieldIndexRequest(collection_name=collection, path=path)
        return (await self._calls(rpcs.Points.DELETE_FIELD_INDEX, request, timeout)).deleted
