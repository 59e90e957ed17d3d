"""Partitions made elsewhere, on real vectors and damaged disks: as good as the server's own, never lost silently."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

import headwater
from examples.datasets import load_wordnet
from headwater import Client, IvfConfig, PartitionRow, PointStruct, SearchParams, VectorParams
from headwater.partition import make_partition
from headwater.v1 import vde_pb2
from storage.check import check
from tests.support.server_process import running_server

LISTS = 20
DATA = load_wordnet()


def create(client: Client, name: str) -> None:
    size = DATA.definition.shape[1]
    client.collections.create(name, VectorParams(size, index="ivf", ivf_config=IvfConfig(lists=LISTS)))
    client.upload_points(name, [PointStruct(number, row) for number, row in enumerate(DATA.definition)])
    client.vde.optimize(name)


@pytest.mark.parametrize("backend", ["numpy", "faiss"])
def test_a_partition_made_elsewhere_recalls_as_the_own(tmp_path: Path, backend: str) -> None:
    if backend != "numpy":
        pytest.importorskip(backend)
    params, queries = SearchParams(ivf_nprobe=8), list(DATA.query_vectors)
    with running_server(tmp_path / "data") as address, Client(address) as client:
        create(client, "c")
        own = client.vde.evaluate_recall("c", queries=queries, params=params).average
        sample = client.vde.sample_vectors("c", 64 * LISTS, seed=1).vectors
        rows = make_partition(sample, LISTS, backend=backend, spherical=True)
        partition = client.vde.import_partition("c", rows)
        client.vde.trigger_rebuild("c", partition_id=partition.partition_id)
        client.vde.optimize("c")
        assert client.vde.evaluate_recall("c", queries=queries, params=params).average >= own - 0.01


@pytest.mark.parametrize("missing", [True, False])
def test_a_damaged_partition_is_named_and_searches_go_on(tmp_path: Path, missing: bool) -> None:
    data = tmp_path / "data"
    with running_server(data) as address, Client(address) as client:
        create(client, "c")
        client.vde.import_partition("c", make_partition(DATA.definition, 10, backend="numpy"))
        client.vde.optimize("c")
        before = list(client.points.search("c", DATA.query_vectors[0]))
    [path] = data.rglob("*.partition")
    if missing:
        path.unlink()
    else:
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    assert [Path(problem.file).name for problem in check(data).problems] == [path.name]
    with running_server(data) as address, Client(address) as client:
        assert list(client.points.search("c", DATA.query_vectors[0])) == before
        tasks = client.vde.rebuild_index("c")
        assert [task.phase for task in tasks] == ["failed"]
        assert path.name in tasks[0].error
        with pytest.raises(headwater.DataLossError):
            client.vde.create_snapshot("c")
        assert client.vde.import_partition("c", make_partition(DATA.definition, 10, backend="numpy")).lists == (10,)
        client.vde.optimize("c")
        assert list(client.points.search("c", DATA.query_vectors[0])) == before
    assert not check(data).problems


def test_an_import_that_breaks_off_or_takes_too_long_leaves_nothing(tmp_path: Path) -> None:
    """The caller goes away mid-stream, or its deadline passes: nothing is on disk, and the server takes the next."""
    size, data = DATA.definition.shape[1], tmp_path / "data"

    def slow() -> Iterator[PartitionRow]:
        for number in range(100_000):
            yield PartitionRow(number, None, DATA.definition[number % len(DATA.definition)])
            if number > 1_000:
                time.sleep(0.01)

    def broken() -> Iterator[PartitionRow]:
        for number in range(3_000):
            yield PartitionRow(number, None, DATA.definition[0])
        raise ConnectionError("the source of the rows is gone")

    with running_server(data) as address, Client(address) as client:
        client.collections.create("c", VectorParams(size, index="ivf"))
        first = client.vde.import_partition("c", make_partition(DATA.definition, 5, backend="numpy"))
        with pytest.raises(headwater.DeadlineExceededError):
            client.vde.import_partition("c", slow(), timeout=0.5)
        with pytest.raises((headwater.HeadwaterError, ConnectionError)):
            client.vde.import_partition("c", broken())
        large = [PartitionRow(number, None, DATA.definition[number % 1_000]) for number in range(20_000)]
        with pytest.raises(headwater.DeadlineExceededError):
            client.vde.import_partition("c", large, timeout=0.05)
        time.sleep(0.5)
        assert len(list(data.rglob("*.partition"))) == 1
        assert client.vde.trigger_rebuild("c", partition_id=first.partition_id) == []
        assert not list(data.rglob("*.new"))
        assert client.vde.import_partition("c", make_partition(DATA.definition, 7, backend="numpy")).lists == (7,)
    assert not check(data).problems


def test_a_part_of_a_stream_is_not_taken_for_the_whole(tmp_path: Path) -> None:
    """gRPC tells a handler of a cancelled call that its stream ended, for a moment."""

    def messages(rows: int) -> Iterator[bytes]:
        header = vde_pb2.PartitionHeader(collection_name="c")
        yield vde_pb2.VDEImportPartitionRequest(header=header).SerializeToString()
        for number in range(rows):
            row = vde_pb2.PartitionRow(id=number, vector=[1.0, number])
            part = vde_pb2.PartitionRows(rows=[row])
            yield vde_pb2.VDEImportPartitionRequest(rows=part).SerializeToString()
        blocked.wait(30)

    blocked = threading.Event()
    with running_server(tmp_path / "data") as address, Client(address) as client, grpc.insecure_channel(address) as raw:
        client.collections.create("c", VectorParams(2, index="ivf"))
        send = raw.stream_unary("/headwater.v1.VDE/ImportPartition", None, None)
        for rows in range(40):
            call = send.future(messages(1 + rows % 5))
            time.sleep(0.02)
            call.cancel()
        time.sleep(0.3)
        blocked.set()
        assert not client.vde.delete_partition("c")
