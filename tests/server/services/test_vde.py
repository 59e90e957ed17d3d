"""The RPCs of VDE over a real server."""

from collections.abc import Callable
from pathlib import Path

import grpc
import pytest

from headwater.v1 import collections_pb2, points_pb2, vde_pb2
from headwater.v1.collections_pb2 import SPACE_STATE_AWAITING_VECTORS, SPACE_STATE_READY
from server.app import VDE
from server.convert.maintenance import TASK_KINDS
from server.convert.schema import SPACE_STATES
from server.services.vde import COLLECTION_STATES
from storage.schema.stats import SpaceState
from storage.segments.policy import TaskKind
from storage.tables.catalog import CollectionState
from tests.server.messages import point
from tests.support.serving import Service, failure_of, serving

OF_A_COLLECTION = [
    method.name
    for method in VDE.methods
    if not method.client_streaming
    and not method.server_streaming
    and "collection_name" in method.input_type.fields_by_name
    and not method.name.endswith(("Snapshot", "Snapshots"))
]


@pytest.fixture
def filled(service: Service, collection: str) -> str:
    points = [point(1, {"": [1, 2], "text": [1, 2, 3]}), point(2, {"text": [1, 2, 3]}), point(3)]
    service.points.Upsert(points_pb2.PointsUpsertRequest(collection_name=collection, points=points))
    return collection


def test_points_with_a_vector_are_counted_in_all_and_by_space(service: Service, filled: str) -> None:
    counts = service.vde.GetVectorCount(vde_pb2.VDEGetVectorCountRequest(collection_name=filled))
    assert counts.count == 2
    assert dict(counts.spaces) == {"": 1, "text": 2, "flat": 0}


def test_statistics_add_up(service: Service, filled: str) -> None:
    stats = service.vde.GetStats(vde_pb2.VDEGetStatsRequest(collection_name=filled))
    assert (stats.points, stats.total.vectors, stats.total.index, stats.seq) == (3, 3, "", 1)
    assert stats.spaces["text"].vectors == 2
    assert stats.spaces["text"].index == "flat"
    assert stats.total.disk_bytes == sum(space.disk_bytes for space in stats.spaces.values())
    assert stats.payload_disk_bytes > 0


def test_a_flush_tells_the_last_commit(service: Service, filled: str) -> None:
    assert service.vde.Flush(vde_pb2.VDEFlushRequest(collection_name=filled)).seq == 1


def test_states(service: Service, filled: str) -> None:
    state = service.vde.GetState(vde_pb2.VDEGetStateRequest(collection_name=filled))
    assert (state.state, state.reason) == (vde_pb2.COLLECTION_STATE_READY, "")
    assert dict(state.spaces) == {
        "": SPACE_STATE_READY,
        "text": SPACE_STATE_READY,
        "flat": SPACE_STATE_AWAITING_VECTORS,
    }


def test_a_closed_collection_is_opened_by_its_next_use(service: Service, filled: str) -> None:
    assert state_of(service, filled) == vde_pb2.COLLECTION_STATE_READY
    uses: list[Callable[[], object]] = [
        lambda: service.vde.Open(vde_pb2.VDEOpenRequest(collection_name=filled)),
        lambda: service.points.Count(points_pb2.PointsCountRequest(collection_name=filled)),
    ]
    for use in uses:
        closed = service.vde.Close(vde_pb2.VDECloseRequest(collection_name=filled))
        assert closed.state == vde_pb2.COLLECTION_STATE_CLOSED == state_of(service, filled)
        use()
        assert state_of(service, filled) == vde_pb2.COLLECTION_STATE_READY


def test_or_refused_until_it_is_opened(tmp_path: Path) -> None:
    with serving(tmp_path / "data", reopen_on_use=False) as service:
        service.collections.Create(collections_pb2.CollectionsCreateRequest(collection_name="c"))
        service.vde.Close(vde_pb2.VDECloseRequest(collection_name="c"))
        count = points_pb2.PointsCountRequest(collection_name="c")
        failure = failure_of(lambda: service.points.Count(count))
        assert (failure.code, failure.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "COLLECTION_CLOSED")
        state = service.vde.GetState(vde_pb2.VDEGetStateRequest(collection_name="c"))
        assert (state.state, dict(state.spaces)) == (vde_pb2.COLLECTION_STATE_CLOSED, {})
        assert service.vde.Open(vde_pb2.VDEOpenRequest(collection_name="c")).state == vde_pb2.COLLECTION_STATE_READY
        assert service.points.Count(count).count == 0


def state_of(service: Service, collection: str) -> int:
    state: int = service.vde.GetState(vde_pb2.VDEGetStateRequest(collection_name=collection)).state
    return state


@pytest.mark.parametrize("rpc", OF_A_COLLECTION)
def test_a_collection_that_is_not_there(service: Service, rpc: str) -> None:
    request = getattr(vde_pb2, f"VDE{rpc}Request")(collection_name="absent")
    assert failure_of(lambda: getattr(service.vde, rpc)(request)).reason == "COLLECTION_NOT_FOUND"


def test_every_state_has_a_number() -> None:
    assert COLLECTION_STATES.keys() == set(CollectionState)
    assert SPACE_STATES.keys() == set(SpaceState)
    assert TASK_KINDS.keys() == set(TaskKind)
