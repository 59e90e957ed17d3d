"""The methods of `.points` that make and delete text indexes."""

from collections.abc import Mapping
from typing import Any

from headwater import _rpcs as rpcs
from headwater._rpc import Namespace, remote
from headwater._wire import text_index_message
from headwater.models import TextIndexParams
from headwater.v1 import points_pb2


class PointTextIndexes(Namespace):
    """Text indexes, for queries by BM25. `timeout` is in seconds; None: the client's. All raise HeadwaterError."""

    __slots__ = ()

    @remote
    async def create_text_index(
        self,
        collection: str,
        path: str,
        params: TextIndexParams | Mapping[str, Any] | None = None,
        *,
        timeout: float | None = None,
    ) -> bool:
        """Indexes the texts at `path` (`a`, `a.b`, `a[].b`), existing and new ones.

        An existing index gets the new parameters. Returns False when it had the same ones.
        """
        request = points_pb2.PointsCreateTextIndexRequest(
            collection_name=collection, path=path, params=text_index_message(params)
        )
        return (await self._calls(rpcs.Points.CREATE_TEXT_INDEX, request, timeout)).changed

    @remote
    async def delete_text_index(self, collection: str, path: str, *, timeout: float | None = None) -> bool:
        """Drops the text index of a field. Returns False when there was none."""
        request = points_pb2.PointsDeleteTextIndexRequest(collection_name=collection, path=path)
        return (await self._calls(rpcs.Points.DELETE_TEXT_INDEX, request, timeout)).deleted
