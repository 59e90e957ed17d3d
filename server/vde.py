"""VDE: the RPCs of the vector data engine: life cycle, statistics and maintenance."""

from collections.abc import Mapping
from typing import NoReturn

from google.protobuf.message import Message

from headwater.v1 import vde_pb2 as wire
from server.convert.schema import SPACE_STATES
from server.convert.stats import stats_response
from storage.budget import Budget
from storage.catalog import CollectionState
from storage.database import Database
from storage.errors import NotImplementedYet

COLLECTION_STATES: Mapping[CollectionState, wire.CollectionState] = {
    CollectionState.READY: wire.COLLECTION_STATE_READY,
    CollectionState.REBUILDING: wire.COLLECTION_STATE_REBUILDING,
    CollectionState.LOADING: wire.COLLECTION_STATE_LOADING,
    CollectionState.CLOSED: wire.COLLECTION_STATE_CLOSED,
    CollectionState.ERROR: wire.COLLECTION_STATE_ERROR,
}
SERVING = (CollectionState.READY, CollectionState.REBUILDING)


class VectorDataEngine:
    """The RPCs of `VDE`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self, request: wire.VDEOpenRequest, budget: Budget) -> wire.VDEOpenResponse:
        self._database.open_collection(request.collection_name)
        return wire.VDEOpenResponse(state=self._state(request.collection_name))

    def close(self, request: wire.VDECloseRequest, budget: Budget) -> wire.VDECloseResponse:
        self._database.close_collection(request.collection_name)
        return wire.VDECloseResponse(state=self._state(request.collection_name))

    def get_state(self, request: wire.VDEGetStateRequest, budget: Budget) -> wire.VDEGetStateResponse:
        state, reason = self._database.state(request.collection_name)
        response = wire.VDEGetStateResponse(state=COLLECTION_STATES[state], reason=reason)
        if state in SERVING:
            spaces = self._database.collection(request.collection_name).stats().spaces
            response.spaces.update({name: SPACE_STATES[space.state] for name, space in spaces.items()})
        return response

    def get_vector_count(
        self, request: wire.VDEGetVectorCountRequest, budget: Budget
    ) -> wire.VDEGetVectorCountResponse:
        stats = self._database.collection(request.collection_name).stats()
        return wire.VDEGetVectorCountResponse(
            count=stats.points_with_vectors, spaces={name: space.vectors for name, space in stats.spaces.items()}
        )

    def get_stats(self, request: wire.VDEGetStatsRequest, budget: Budget) -> wire.VDEGetStatsResponse:
        return stats_response(self._database.collection(request.collection_name).stats())

    def flush(self, request: wire.VDEFlushRequest, budget: Budget) -> wire.VDEFlushResponse:
        return wire.VDEFlushResponse(seq=self._database.collection(request.collection_name).flush(budget))

    def _not_built(self, request: Message, budget: Budget) -> NoReturn:
        rpc = type(request).__name__.removeprefix("VDE").removesuffix("Request")
        raise NotImplementedYet(f"{rpc} is not built yet", rpc=rpc)

    optimize = _not_built
    rebuild_index = _not_built
    trigger_rebuild = _not_built
    get_rebuild_task = _not_built
    list_rebuild_tasks = _not_built
    cancel_rebuild_task = _not_built
    compact_collection = _not_built
    get_optimizations = _not_built
    evaluate_recall = _not_built
    prewarm = _not_built
    clone_collection = _not_built

    def _state(self, name: str) -> wire.CollectionState:
        return COLLECTION_STATES[self._database.state(name)[0]]
