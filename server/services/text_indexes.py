"""Text indexes: the RPCs of `Points` that add and delete them. The planner decides what an index holds."""

from headwater.v1 import points_pb2 as wire
from server.convert import check_index_path, text_settings_of
from storage.budget import Budget
from storage.database import Database
from storage.schema import SchemaChange, check_text_settings


class PointTextIndexes:
    """The RPCs of `Points` that declare, durably, which fields have a text index.

    The index is made when it is first used.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def create_text_index(
        self, request: wire.PointsCreateTextIndexRequest, budget: Budget
    ) -> wire.PointsCreateTextIndexResponse:
        check_index_path(request.path, "path")
        settings = text_settings_of(request.params, "params")
        check_text_settings(settings, "params")
        collection = self._database.collection(request.collection_name, budget)
        if collection.schema.text_indexes.get(request.path) == settings:
            return wire.PointsCreateTextIndexResponse(changed=False)
        collection.change_schema(SchemaChange(put_texts={request.path: settings}), budget)
        return wire.PointsCreateTextIndexResponse(changed=True)

    def delete_text_index(
        self, request: wire.PointsDeleteTextIndexRequest, budget: Budget
    ) -> wire.PointsDeleteTextIndexResponse:
        collection = self._database.collection(request.collection_name, budget)
        if request.path not in collection.schema.text_indexes:
            return wire.PointsDeleteTextIndexResponse(deleted=False)
        collection.change_schema(SchemaChange(drop_texts=(request.path,)), budget)
        return wire.PointsDeleteTextIndexResponse(deleted=True)
