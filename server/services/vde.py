"""VDE: the RPCs of the vector data engine for state and statistics. maintenance.py has those for maintenance."""

from collections.abc import Mapping

from headwater.v1 import vde_pb2 as wire
from server.convert import SPACE_STATES, stats_response
from storage.budget import Budget
from storage.database import Database
from storage.files import told
from storage.schema import SpaceState
from storage.tables import CollectionState

COLLECTION_STATES: Mapping[CollectionState, wire.CollectionState] = {
    CollectionState.READY: wire.COLLECTION_STATE_READY,
    CollectionState.REBUILDING: wire.COLLECTION_STATE_REBUILDING,
    CollectionState.LOADING: wire.COLLECTION_STATE_LOADING,
    CollectionState.CLOSED: wire.COLLECTION_STATE_CLOSED,
    CollectionState.ERROR: wire.COLLECTION_STATE_ERROR,
}
SERVING = (CollectionState.READY, CollectionState.REBUILDING)


class VectorDataEngine:
    """The RPCs of `VDE` that describe, open and close a collection."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self, request: wire.VDEOpenRequest, budget: Budget) -> wire.VDEOpenResponse:
        self._database.open_collection(request.collection_name, budget)
        return wire.VDEOpenResponse(state=self._state(request.collection_name))

    def close(self, request: wire.VDECloseRequest, budget: Budget) -> wire.VDECloseResponse:
        self._database.close_collection(request.collection_name)
        return wire.VDECloseResponse(state=self._state(request.collection_name))

    def get_state(self, request: wire.VDEGetStateRequest, budget: Budget) -> wire.VDEGetStateResponse:
        status = self._database.usage.status(request.collection_name)
        response = wire.VDEGetStateResponse(state=COLLECTION_STATES[status.state], reason=told(status.reason))
        if status.state in SERVING:
            stats = self._database.collection(request.collection_name, budget).stats()
            response.spaces.update({name: SPACE_STATES[space.state] for name, space in stats.spaces.items()})
            response.warnings.update({name: space.warning for name, space in stats.spaces.items() if space.warning})
            for name in stats.vector_counts.keys() - stats.spaces.keys():
                vectors = stats.vector_counts[name]
                response.spaces[name] = SPACE_STATES[SpaceState.READY if vectors else SpaceState.AWAITING_VECTORS]
        return response

    def get_vector_count(
        self, request: wire.VDEGetVectorCountRequest, budget: Budget
    ) -> wire.VDEGetVectorCountResponse:
        stats = self._database.collection(request.collection_name, budget).stats()
        return wire.VDEGetVectorCountResponse(
            count=stats.points_with_vectors,
            spaces=dict(stats.vector_counts),
        )

    def get_stats(self, request: wire.VDEGetStatsRequest, budget: Budget) -> wire.VDEGetStatsResponse:
        return stats_response(self._database.collection(request.collection_name, budget).stats())

    def flush(self, request: wire.VDEFlushRequest, budget: Budget) -> wire.VDEFlushResponse:
        return wire.VDEFlushResponse(seq=self._database.collection(request.collection_name, budget).flush(budget))

    def _state(self, name: str) -> wire.CollectionState:
        return COLLECTION_STATES[self._database.usage.status(name).state]
