"""Services are made of their descriptors: every RPC has a function of ours, and none is left over."""

import pytest

from headwater.v1 import collections_pb2
from server.app import COLLECTIONS, POINTS, VDE
from server.rpc.services import handlers_of, snake_case
from server.services.analyses import PointAnalyses
from server.services.collections import Collections
from server.services.field_indexes import PointFieldIndexes
from server.services.maintenance import VectorDataMaintenance
from server.services.partitions import Partitions
from server.services.points import PointReads, PointWrites
from server.services.scrolling import PointScrolls
from server.services.search import PointQueries
from server.services.snapshots import SnapshotTransfers
from server.services.text_indexes import PointTextIndexes
from server.services.vde import VectorDataEngine


@pytest.mark.parametrize(
    ("service", "implementations"),
    [
        (COLLECTIONS, [Collections]),
        (
            POINTS,
            [
                PointWrites,
                PointReads,
                PointScrolls,
                PointQueries,
                PointAnalyses,
                PointFieldIndexes,
                PointTextIndexes,
            ],
        ),
        (VDE, [VectorDataEngine, VectorDataMaintenance, SnapshotTransfers, Partitions]),
    ],
    ids=lambda each: getattr(each, "name", ""),
)
def test_every_rpc_has_a_function(service: "object", implementations: list[type]) -> None:
    assert handlers_of(service, *implementations).keys() == {method.name for method in service.methods}  # type: ignore[arg-type, attr-defined]


def test_a_missing_function_stops_the_server_from_starting() -> None:
    class Incomplete:
        def create(self) -> None: ...

    with pytest.raises(TypeError, match=r"without function.*update_aliases"):
        handlers_of(COLLECTIONS, Incomplete())


def test_a_function_that_is_no_rpc_is_refused() -> None:
    class Extra(Collections):
        def truncate(self) -> None: ...

    with pytest.raises(TypeError, match=r"without RPC.*truncate"):
        handlers_of(COLLECTIONS, Extra)


def test_a_function_given_twice_is_refused() -> None:
    with pytest.raises(TypeError, match="create is defined twice"):
        handlers_of(collections_pb2.DESCRIPTOR.services_by_name["Collections"], Collections, Collections)


def test_names_of_functions_are_names_of_rpcs() -> None:
    assert [snake_case(name) for name in ("Get", "GetVectorCount")] == ["get", "get_vector_count"]
