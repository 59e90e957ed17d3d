"""Partitions made elsewhere, on real vectors and damaged disks: as good as the server's own, never lost silently."""

from pathlib import Path

import pytest

import headwater
from examples.datasets import load_wordnet
from headwater import Client, IvfConfig, PointStruct, SearchParams, VectorParams
from headwater.partition import make_partition
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
