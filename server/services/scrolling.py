"""Scrolling: the RPCs of `Points` that read page by page, with cursors or without."""

from dataclasses import replace

from headwater.v1 import points_pb2 as wire
from planner.engine import Engine, Page
from server.convert import (
    filter_of,
    payload_selector_of,
    point_id_message,
    point_id_of,
    points_reply_of,
    vectors_selector_of,
)
from server.services.cursors import reading
from storage.budget import Budget
from storage.database import Database
from storage.mvcc import Snapshot

DEFAULT_PAGE = 10
"""Points of a page by default."""


class PointScrolls:
    """The RPCs of `Points` that scroll. Each page reads one snapshot; all pages of a cursor read the same one."""

    def __init__(self, database: Database, engine: Engine) -> None:
        self._database = database
        self._engine = engine

    def scroll(self, request: wire.PointsScrollRequest, budget: Budget) -> bytes:
        with reading(self._database, request, budget) as read:
            page = self._page(read.snapshot, request, budget)
            while True:
                read.goes_on = page.next_id is not None
                reply = self._response(page, read.cursor)
                shorter = _shortened(page, len(reply), budget.meter.largest_reply)
                if shorter is page:
                    return reply
                page = shorter

    def close_cursor(self, request: wire.PointsCloseCursorRequest, budget: Budget) -> wire.PointsCloseCursorResponse:
        return wire.PointsCloseCursorResponse(closed=self._database.cursors.close(request.cursor))

    def _page(self, snapshot: Snapshot, request: wire.PointsScrollRequest, budget: Budget) -> Page:
        return self._engine.reads.page(
            snapshot,
            filter_of(request.filter, "filter") if request.HasField("filter") else None,
            offset=point_id_of(request.offset, "offset") if request.HasField("offset") else None,
            limit=request.limit if request.HasField("limit") else DEFAULT_PAGE,
            with_payload=payload_selector_of(request),
            with_vectors=vectors_selector_of(request),
            budget=budget,
        )

    @staticmethod
    def _response(page: Page, cursor: str | None = None) -> bytes:
        response = wire.PointsScrollResponse(seq=page.seq)
        if page.next_id is not None:
            response.next_offset.CopyFrom(point_id_message(page.next_id))
        if cursor is not None:
            response.cursor = cursor
        return points_reply_of(response, page.points)


def _shortened(page: Page, size: int, most: int | None) -> Page:
    """A page with fewer points if the reply, of `size` bytes, is larger than `most`; the same page if that is so with
    one point, too. Pages are read by the least that their points take, so a reply may be somewhat larger."""
    count = len(page.points)
    if most is None or size <= most or count <= 1:
        return page
    kept = max(1, min(count - 1, count * most // size))
    return replace(page, points=page.points[:kept], next_id=page.points[kept].id)
