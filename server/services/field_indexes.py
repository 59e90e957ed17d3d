"""Field indexes: the RPCs of `Points` that declare and delete indexes of payload fields."""

from headwater.v1 import points_pb2 as wire
from planner.engine import Engine
from server.convert import field_index_info, field_index_params_of
from storage.budget import Budget
from storage.database import Database


class PointFieldIndexes:
    """The RPCs of `Points` that change the payload schema."""

    def __init__(self, database: Database, engine: Engine) -> None:
        self._database = database
        self._engine = engine

    def create_field_index(
        self, request: wire.PointsCreateFieldIndexRequest, budget: Budget
    ) -> wire.PointsCreateFieldIndexResponse:
        collection = self._database.collection(request.collection_name, budget)
        wait = request.wait or not request.HasField("wait")
        params = field_index_params_of(request.params, "params")
        status = self._engine.field_indexes.create(collection, request.path, params, wait=wait, budget=budget)
        return wire.PointsCreateFieldIndexResponse(index=field_index_info(status))

    def delete_field_index(
        self, request: wire.PointsDeleteFieldIndexRequest, budget: Budget
    ) -> wire.PointsDeleteFieldIndexResponse:
        collection = self._database.collection(request.collection_name, budget)
        deleted = self._engine.field_indexes.delete(collection, request.path, budget)
        return wire.PointsDeleteFieldIndexResponse(deleted=deleted)
