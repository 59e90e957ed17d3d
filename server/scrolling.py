"""Scrolling: the RPCs of `Points` that read page by page, with cursors or without."""

from headwater.v1 import points_pb2 as wire
from planner.engine import Engine, Page
from server.convert.answers import fill_points
from server.convert.filters import filter_of
from server.convert.ids import point_id_message, point_id_of
from server.convert.selectors import payload_selector_of, vectors_selector_of
from storage.budget import Budget
from storage.database import Database
from storage.errors import InvalidRequest
from storage.snapshot import Snapshot

DEFAULT_PAGE = 10
"""Points that a scroll returns unless it says otherwise."""


class PointScrolls:
    """The RPCs of `Points` that scroll: each page is from one snapshot, all pages of a cursor from the same."""

    def __init__(self, database: Database, engine: Engine) -> None:
        self._database = database
        self._engine = engine

    def scroll(self, request: wire.PointsScrollRequest, budget: Budget) -> wire.PointsScrollResponse:
        if request.HasField("cursor"):
            if request.HasField("cursor_ttl_seconds"):
                raise InvalidRequest("cursor_ttl_seconds", "the cursor is open; its time was given when it was opened")
            with self._database.cursors.reading(request.cursor, request.collection_name, budget) as snapshot:
                return self._response(self._page(snapshot, request, budget), request.cursor)
        collection = self._database.collection(request.collection_name, budget)
        if request.HasField("cursor_ttl_seconds"):
            cursors, seconds = self._database.cursors, request.cursor_ttl_seconds
            token = cursors.open(collection, request.collection_name, seconds, budget.caller)
            return self._first_page(token, request, budget)
        with collection.snapshot() as snapshot:
            return self._response(self._page(snapshot, request, budget))

    def close_cursor(self, request: wire.PointsCloseCursorRequest, budget: Budget) -> wire.PointsCloseCursorResponse:
        return wire.PointsCloseCursorResponse(closed=self._database.cursors.close(request.cursor))

    def _first_page(self, token: str, request: wire.PointsScrollRequest, budget: Budget) -> wire.PointsScrollResponse:
        """The page of a cursor that was just opened, which stays open only if there is another."""
        cursors = self._database.cursors
        is_needed = False
        try:
            with cursors.reading(token, request.collection_name, budget) as snapshot:
                page = self._page(snapshot, request, budget)
            is_needed = page.next_id is not None
            return self._response(page, token)
        finally:
            if not is_needed:
                cursors.close(token)

    def _page(self, snapshot: Snapshot, request: wire.PointsScrollRequest, budget: Budget) -> Page:
        return self._engine.page(
            snapshot,
            filter_of(request.filter, "filter") if request.HasField("filter") else None,
            offset=point_id_of(request.offset, "offset") if request.HasField("offset") else None,
            limit=request.limit if request.HasField("limit") else DEFAULT_PAGE,
            with_payload=payload_selector_of(request),
            with_vectors=vectors_selector_of(request),
            budget=budget,
        )

    @staticmethod
    def _response(page: Page, cursor: str | None = None) -> wire.PointsScrollResponse:
        response = wire.PointsScrollResponse(seq=page.seq)
        if page.next_id is not None:
            response.next_offset.CopyFrom(point_id_message(page.next_id))
            if cursor is not None:
                response.cursor = cursor
        fill_points(response.points, page.points)
        return response
