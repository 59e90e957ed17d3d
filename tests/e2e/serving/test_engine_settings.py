"""Settings of the engine through a real server: bounds on sizes, scans, time and memory; indexing that waits."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import headwater
from headwater import Client, Datatype, Distance, HnswConfigDiff, OptimizersConfig, PointStruct, VectorParams
from tests.support.server_process import running_server

SIZE = 64
COUNT = 3_000
VECTORS = np.random.default_rng(5).standard_normal((COUNT, SIZE)).astype(np.float32)


def fill(
    client: Client, name: str, config: OptimizersConfig | None = None, count: int = COUNT, kind: str = "hnsw"
) -> None:
    client.collections.create(name, VectorParams(SIZE, index=kind), optimizers_config=config)
    client.upload_points(name, [PointStruct(number, VECTORS[number]) for number in range(count)], batch_size=500)


@pytest.fixture(scope="module")
def bounded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    options = ["--max-scan", "2000", "--max-dimension", "128"]
    with running_server(tmp_path_factory.mktemp("bounded"), options=options) as address, Client(address) as client:
        yield client


def test_a_scan_that_is_too_large_is_refused(bounded: Client) -> None:
    fill(bounded, "manual", OptimizersConfig(auto_index=False))
    with pytest.raises(headwater.ScanTooLargeError) as refused:
        bounded.points.search("manual", VECTORS[0])
    assert refused.value.metadata == {"rows": str(COUNT), "maximum": "2000"}
    few = headwater.has_id(list(range(50)))
    assert len(bounded.points.search("manual", VECTORS[0], filter=few)) == 10
    bounded.vde.optimize("manual")
    assert len(bounded.points.search("manual", VECTORS[0])) == 10


def test_whatever_scans_is_bounded(bounded: Client) -> None:
    """Groups, examples, metrics and the lists of explanations, too, and tokens of multi-vectors."""
    fill(bounded, "scanned", OptimizersConfig(auto_index=False))
    vector = VECTORS[0]
    points = bounded.points
    scans: list[Callable[[], object]] = [
        lambda: points.query_groups("scanned", vector, group_by="n"),
        lambda: points.explain_point("scanned", 1, vector),
        lambda: points.query("scanned", headwater.Rescore(vector, "Manhattan")),
        lambda: points.query(
            "scanned", headwater.Recommend(positive=[1], strategy=headwater.RecommendStrategy.BestScore)
        ),
    ]
    for scan in scans:
        with pytest.raises(headwater.ScanTooLargeError):
            scan()
    params = VectorParams(2, multivector_config=headwater.MultiVectorParams())
    bounded.collections.create("tokens", params, optimizers_config=OptimizersConfig(auto_index=False))
    bounded.points.upsert("tokens", [PointStruct(key, [[1, key]] * 900) for key in range(3)])
    with pytest.raises(headwater.ScanTooLargeError):
        points.query("tokens", [[1, 0]])
    assert points.query("tokens", [[1, 0]], filter=headwater.has_id([1, 2])) != []


def test_a_space_that_is_too_large_is_refused(bounded: Client) -> None:
    with pytest.raises(headwater.LimitExceededError) as refused:
        bounded.collections.create("wide", {"a": VectorParams(129)})
    assert refused.value.field == 'vectors["a"].size'
    bounded.collections.create("wide", {"a": VectorParams(128)})
    with pytest.raises(headwater.LimitExceededError):
        bounded.collections.update("wide", add_vectors={"b": VectorParams(129)})
    with pytest.raises(headwater.LimitExceededError):
        bounded.collections.update(
            "wide", add_vectors={"b": VectorParams(129, multivector_config=headwater.MultiVectorParams())}
        )


def test_without_auto_index_nothing_is_built_until_asked(bounded: Client) -> None:
    fill(bounded, "waits", OptimizersConfig(auto_index=False))
    time.sleep(0.5)
    assert bounded.vde.list_rebuild_tasks("waits") == []
    info = bounded.collections.get_info("waits")
    assert info.optimizers_config.auto_index is False
    bounded.vde.optimize("waits")
    assert bounded.collections.get_info("waits").vectors[""].indexed_vectors_count == COUNT
    bounded.points.delete("waits", list(range(2_000)))
    time.sleep(0.5)
    assert bounded.vde.get_stats("waits").total.deleted_vectors == 2_000, "no vacuum either"
    bounded.collections.update("waits", optimizers_config={"auto_index": True})
    deadline = time.monotonic() + 60
    while bounded.vde.get_stats("waits").total.deleted_vectors:
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("kind", ["hnsw", "ivf"])
@pytest.mark.parametrize("ask", ["trigger_rebuild", "rebuild_index"])
def test_without_auto_index_a_rebuild_builds_what_is_sealed(bounded: Client, kind: str, ask: str) -> None:
    name, few = f"{ask}_{kind}", headwater.has_id(list(range(100)))
    fill(bounded, name, OptimizersConfig(auto_index=False), kind=kind)
    info = bounded.collections.get_info(name).vectors[""]
    assert info.indexed_vectors_count == 0
    exact = bounded.points.search(name, VECTORS[0], filter=few, params=headwater.SearchParams(exact=True))
    getattr(bounded.vde, ask)(name)
    wait_for_tasks(bounded, name)
    assert {task.phase for task in bounded.vde.list_rebuild_tasks(name)} == {"done"}
    stats = bounded.vde.get_stats(name).spaces[""]
    assert stats.indexed_vectors >= COUNT // 1_000 * 1_000 - 1_000
    assert stats.index == kind
    assert list(bounded.points.search(name, VECTORS[0], filter=few)) == list(exact)


@pytest.mark.parametrize("kind", ["hnsw", "ivf"])
def test_without_auto_index_compacting_builds_no_index_and_keeps_what_is_there(bounded: Client, kind: str) -> None:
    name = f"compact_{kind}"
    fill(bounded, name, OptimizersConfig(auto_index=False), kind=kind)
    bounded.points.delete(name, list(range(0, COUNT, 3)))
    bounded.vde.compact_collection(name)
    stats = bounded.vde.get_stats(name)
    assert (stats.total.deleted_vectors, stats.spaces[""].indexed_vectors) == (0, 0)
    bounded.vde.optimize(name)
    indexed = bounded.vde.get_stats(name).spaces[""].indexed_vectors
    assert indexed == COUNT - COUNT // 3
    bounded.points.delete(name, list(range(1, COUNT, 3)))
    bounded.vde.compact_collection(name)
    stats = bounded.vde.get_stats(name)
    assert (stats.total.deleted_vectors, stats.spaces[""].indexed_vectors) == (0, COUNT // 3)


def wait_for_tasks(client: Client, name: str) -> None:
    deadline = time.monotonic() + 60
    while not all(task.finished for task in client.vde.list_rebuild_tasks(name)):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_presets_expand_to_values(bounded: Client) -> None:
    expected = {
        "balanced": (16, 200, 128, Datatype.BFloat16),
        "high_throughput": (16, 128, 64, Datatype.BFloat16),
        "low_memory": (8, 128, 128, Datatype.Int8),
        "high_recall": (32, 400, 256, Datatype.BFloat16),
        "high_speed": (8, 100, 64, Datatype.BFloat16),
    }
    for preset, values in expected.items():
        bounded.collections.create(preset, VectorParams(8, Distance.Dot, HnswConfigDiff(preset=preset)))
        params = bounded.collections.get_info(preset).vectors[""].params
        assert params.hnsw_config is not None
        config = params.hnsw_config
        assert (config.m, config.ef_construct, config.ef, params.datatype) == values
        assert config.preset is None


def test_a_search_ends_at_its_timeout(tmp_path: Path) -> None:
    with running_server(tmp_path / "data", options=["--search-timeout", "0.001"]) as address, Client(address) as client:
        fill(client, "slow", OptimizersConfig(auto_index=False))
        queries = [headwater.SearchRequest(VECTORS[number], limit=1_000) for number in range(200)]
        started = time.monotonic()
        with pytest.raises(headwater.DeadlineExceededError):
            client.points.search_batch("slow", queries)
        assert time.monotonic() - started < 5


def test_a_build_that_takes_too_much_memory_fails_and_says_so(tmp_path: Path) -> None:
    options = ["--max-build-memory", str(2**20)]
    with running_server(tmp_path / "data", options=options) as address, Client(address) as client:
        fill(client, "large", OptimizersConfig(auto_index=False))
        tasks = client.vde.optimize("large")
        assert {task.phase for task in tasks} == {"failed"}
        assert "bytes of memory" in tasks[0].error
        assert len(client.points.search("large", VECTORS[0])) == 10
