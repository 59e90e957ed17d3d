"""Reading points by id, page by page, and counting them. Each method reads one commit."""

from collections.abc import AsyncGenerator

from headwater import _rpcs as rpcs
from headwater._methods.pages import CURSOR_TTL, PAGE_SIZE, cursor_seconds
from headwater._rpc import Namespace, remote, remote_items
from headwater._wire import (
    asks_vectors,
    filter_message,
    id_message,
    id_messages,
    page_of,
    payload_selector,
    record_of,
    unsigned,
    vectors_selector,
)
from headwater.filters import FilterLike
from headwater.models import (
    DEFAULT_LIMIT,
    Page,
    PointIdLike,
    PointIds,
    Record,
    RecordList,
    WithPayload,
    WithVectors,
)
from headwater.v1 import points_pb2


class PointReads(Namespace):
    """Reads points; each method reads one commit.

    `with_payload` and `with_vectors` are a bool, a list of paths or of spaces, or a selector. `using` None: the unnamed
    space, or the only one. `timeout` is in seconds; None: the client's. All raise HeadwaterError.
    """

    __slots__ = ()

    @remote
    async def get(
        self,
        collection: str,
        ids: PointIds,
        *,
        with_payload: WithPayload = True,
        with_vectors: WithVectors = False,
        timeout: float | None = None,
    ) -> RecordList:
        """Returns the points with these ids, in the order of the ids. Ids that do not exist are left out."""
        request = points_pb2.PointsGetRequest(
            collection_name=collection,
            ids=id_messages(ids),
            with_payload=payload_selector(with_payload),
            with_vectors=vectors_selector(with_vectors),
        )
        points = (await self._calls(rpcs.Points.GET, request, timeout)).points
        return RecordList([record_of(point, asks_vectors(request.with_vectors)) for point in points])

    @remote
    async def scroll(
        self,
        collection: str,
        *,
        filter: FilterLike | None = None,
        limit: int | None = DEFAULT_LIMIT,
        offset: PointIdLike | None = None,
        with_payload: WithPayload = True,
        with_vectors: WithVectors = False,
        cursor_ttl: int | None = None,
        cursor: str | None = None,
        timeout: float | None = None,
    ) -> Page:
        """Returns a page of points in id order, from the id `offset` on, and the offset of the next page (None: no
        more).

        Each page is read from the newest commit. To read all pages from one commit, give the first call `cursor_ttl`:
        the seconds that its cursor lives after its last use. Give `page.cursor` to the calls that follow. Such pages
        can be read again, until CursorExpiredError.
        """
        request = points_pb2.PointsScrollRequest(
            collection_name=collection,
            filter=filter_message(filter),
            offset=None if offset is None else id_message(offset, "offset"),
            limit=unsigned(limit, "limit"),
            with_payload=payload_selector(with_payload),
            with_vectors=vectors_selector(with_vectors),
            cursor_ttl_seconds=None if cursor_ttl is None else cursor_seconds(cursor_ttl),
            cursor=cursor,
        )
        return page_of(await self._calls(rpcs.Points.SCROLL, request, timeout), asks_vectors(request.with_vectors))

    @remote
    async def close_cursor(self, cursor: str, *, timeout: float | None = None) -> bool:
        """Closes a cursor before it expires. Returns whether it was open."""
        request = points_pb2.PointsCloseCursorRequest(cursor=cursor)
        return (await self._calls(rpcs.Points.CLOSE_CURSOR, request, timeout)).closed

    @remote_items
    async def scroll_all(
        self,
        collection: str,
        *,
        filter: FilterLike | None = None,
        batch_size: int = PAGE_SIZE,
        with_payload: WithPayload = True,
        with_vectors: WithVectors = False,
        cursor_ttl: int = CURSOR_TTL,
        timeout: float | None = None,
    ) -> AsyncGenerator[Record, None]:
        """Yields all points of one commit in id order, whatever is written meanwhile, in pages of `batch_size`.

        At most `cursor_ttl` seconds may pass between two pages, and an hour in all; after that it raises
        CursorExpiredError. `timeout` holds for each page.
        """
        request = points_pb2.PointsScrollRequest(
            collection_name=collection,
            filter=filter_message(filter),
            limit=unsigned(batch_size, "limit"),
            with_payload=payload_selector(with_payload),
            with_vectors=vectors_selector(with_vectors),
            cursor_ttl_seconds=None if cursor_ttl is None else cursor_seconds(cursor_ttl),
        )
        cursor = None
        try:
            while True:
                answer = await self._calls(rpcs.Points.SCROLL, request, timeout)
                page = page_of(answer, asks_vectors(request.with_vectors))
                cursor = page.cursor or cursor
                for record in page.points:
                    yield record
                if page.next_offset is None:
                    break
                request.offset.CopyFrom(id_message(page.next_offset, "offset"))
                request.ClearField("cursor_ttl_seconds")
                request.cursor = page.cursor or ""
        finally:
            if cursor is not None:
                await self._calls.release(rpcs.Points.CLOSE_CURSOR, points_pb2.PointsCloseCursorRequest(cursor=cursor))

    @remote
    async def count(self, collection: str, *, filter: FilterLike | None = None, timeout: float | None = None) -> int:
        """Returns the exact number of points; with `filter`, of those that match."""
        request = points_pb2.PointsCountRequest(collection_name=collection, filter=filter_message(filter))
        return (await self._calls(rpcs.Points.COUNT, request, timeout)).count
