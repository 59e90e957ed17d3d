"""Writes with `wait=False` that fail after they were acknowledged: nothing is applied, and users can see it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from headwater import Client, PointStruct, PointVectors, VectorParams
from headwater.models import UpdateStatus
from tests.support.server_process import log_of, running_server


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def own(data: Path) -> Iterator[Client]:
    with running_server(data) as address, Client(address, retries=0) as client:
        client.collections.create("c", VectorParams(2))
        client.points.upsert("c", [PointStruct(1, [1, 0]), PointStruct(2, [0, 1])])
        yield client


def test_a_dropped_write_is_counted_and_logged(own: Client, data: Path) -> None:
    before = own.vde.get_stats("c")
    assert (before.failed_writes, before.last_failed_write) == (0, "")
    vectors = [PointVectors(1, [5, 5]), PointVectors(77, [5, 5]), PointVectors(2, [5, 5])]
    result = own.points.update_vectors("c", vectors, wait=False)
    assert result.status is UpdateStatus.ACKNOWLEDGED
    own.vde.flush("c")
    stats = own.vde.get_stats("c")
    assert stats.failed_writes == 1
    assert "UpdateVectors" in stats.last_failed_write
    assert "77" in stats.last_failed_write
    points = own.points.get("c", [1, 2], with_vectors=True)
    assert [list(point.vectors[""]) for point in points] == [[1, 0], [0, 1]], "all or nothing"
    own.points.set_payload("c", {"a": 1}, ids=[1, 88], wait=False)
    own.points.delete_vectors("c", [""], ids=[99], wait=False)
    own.points.delete("c", ids=[99], wait=False)
    own.vde.flush("c")
    stats = own.vde.get_stats("c")
    assert stats.failed_writes == 3, "deleting what is not there is no failure"
    assert "DeleteVectors" in stats.last_failed_write
    lines = [line for line in log_of(data).read_text().splitlines() if "wait=false failed" in line]
    assert len(lines) == 1, "the log is not flooded"
    assert all(word in lines[0] for word in ("'c'", "UpdateVectors", "77"))


def test_what_is_waited_for_is_no_dropped_write(own: Client) -> None:
    with pytest.raises(Exception, match="77"):
        own.points.update_vectors("c", [PointVectors(77, [5, 5])])
    own.points.upsert("c", [PointStruct(3, [1, 1])], wait=False)
    own.vde.flush("c")
    assert own.vde.get_stats("c").failed_writes == 0
    assert [point.id for point in own.points.get("c", [3])] == [3]


def test_a_new_collection_of_the_name_starts_at_zero(own: Client) -> None:
    own.points.update_vectors("c", [PointVectors(77, [5, 5])], wait=False)
    own.vde.flush("c")
    own.vde.close("c")
    assert own.vde.get_stats("c").failed_writes == 1, "closing forgets nothing"
    own.collections.delete("c")
    own.collections.create("c", VectorParams(2))
    assert own.vde.get_stats("c").failed_writes == 0
