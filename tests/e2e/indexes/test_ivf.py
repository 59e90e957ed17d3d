"""Spaces with IVF lists through the client: building, probing, partitions made elsewhere."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import headwater
from headwater import (
    Client,
    CollectionState,
    Datatype,
    Distance,
    Field,
    IndexKind,
    IvfConfig,
    PartitionRow,
    PointStruct,
    SearchParams,
    VectorParams,
    VectorParamsDiff,
)
from headwater.partition import load, make_partition, save
from storage.check import check
from tests.support.server_process import doomed_server, running_server

SIZE = 32
COUNT = 4_000
RANDOM = np.random.default_rng(8)
CENTRES = RANDOM.standard_normal((60, SIZE)) * 1.5
VECTORS = (CENTRES[RANDOM.integers(0, 60, COUNT)] + RANDOM.standard_normal((COUNT, SIZE))).astype(np.float32)
QUERIES = list((CENTRES[RANDOM.integers(0, 60, 30)] + RANDOM.standard_normal((30, SIZE))).astype(np.float32))
ALL_LISTS = SearchParams(ivf_nprobe=10_000)
NAME = "c"


def create(client: Client, name: str = NAME, distance: Distance = Distance.Cosine, **config: object) -> None:
    params = VectorParams(SIZE, distance, index="ivf", ivf_config=IvfConfig(**{"lists": 40, **config}))  # type: ignore[arg-type]
    client.collections.create(name, params, optimizers_config={"indexing_threshold": 100_000})
    points = [PointStruct(number, row, {"half": number % 2, "n": number}) for number, row in enumerate(VECTORS)]
    client.upload_points(name, points, batch_size=1_000)
    client.vde.optimize(name)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with running_server(tmp_path_factory.mktemp("ivf")) as address, Client(address) as client:
        create(client)
        yield client


@pytest.fixture
def scratch(served: Client) -> Iterator[str]:
    create(served, "scratch")
    yield "scratch"
    served.collections.delete("scratch")


def recall(client: Client, name: str = NAME, params: SearchParams | None = None) -> float:
    return client.vde.evaluate_recall(name, queries=QUERIES, params=params).average


def test_lists_serve_and_explain_says_so(served: Client) -> None:
    info = served.collections.get_info(NAME).vectors[""]
    assert (info.params.index, info.params.datatype, info.indexed_vectors_count) == (
        IndexKind.Ivf,
        Datatype.Int8,
        COUNT,
    )
    assert info.params.ivf_config is not None
    assert tuple(info.params.ivf_config.lists or ()) == (40,)  # type: ignore[arg-type]
    assert served.vde.get_stats(NAME).spaces[""].index == "ivf"
    assert recall(served) >= 0.95
    text = served.points.explain(NAME, query=QUERIES[0], analyze=True).text
    assert "ivf" in text
    assert "nprobe 25 of 40 lists" in text


def test_nprobe_is_the_requests_then_the_spaces(served: Client, scratch: str) -> None:
    assert recall(served, params=ALL_LISTS) == 1.0
    assert recall(served, params=SearchParams(ivf_nprobe=1)) < recall(served, params=ALL_LISTS)
    update = {"": VectorParamsDiff(ivf_config=IvfConfig(nprobe=3))}
    served.collections.update(scratch, update_vectors=update)
    assert "nprobe 3 of" in served.points.explain(scratch, query=QUERIES[0], analyze=True).text
    params = SearchParams(ivf_nprobe=[7])
    assert "nprobe 7 of" in served.points.explain(scratch, query=QUERIES[0], params=params, analyze=True).text
    assert not [task for task in served.vde.get_optimizations(scratch) if not task.finished], "nothing is built anew"


@pytest.mark.parametrize("distance", [Distance.Dot, Distance.Euclid])
def test_other_metrics(served: Client, distance: Distance) -> None:
    create(served, distance.name, distance)
    assert recall(served, distance.name) >= 0.9
    exact = served.points.search(distance.name, QUERIES[0], limit=20, params=SearchParams(exact=True))
    found = served.points.search(distance.name, QUERIES[0], limit=20, params=ALL_LISTS)
    assert list(found) == list(exact)
    served.collections.delete(distance.name)


def test_bits_too(served: Client) -> None:
    params = VectorParams(SIZE, index="ivf", datatype=Datatype.Binary, ivf_config=IvfConfig(lists=40))
    served.collections.create("bits", params)
    served.upload_points("bits", [PointStruct(number, row) for number, row in enumerate(VECTORS)])
    served.vde.optimize("bits")
    assert served.vde.get_stats("bits").spaces[""].datatype == "binary"
    assert recall(served, "bits", ALL_LISTS) >= 0.9
    served.collections.delete("bits")


@pytest.mark.parametrize("name", ["half", "n"])
def test_filters_fill_the_limit(served: Client, name: str) -> None:
    """Most rows match, half of them, and hardly any: by lists or by a scan, never short."""
    filters = [Field("half").eq(1), Field("n").gte(100), Field("n").lt(30)]
    for condition in filters:
        for query in QUERIES[:5]:
            hits = served.points.search(NAME, query, filter=condition, limit=20)
            assert len(hits) == 20
        strategy = SearchParams(filter_strategy=headwater.FilterStrategy.Post, ivf_nprobe=1)
        assert len(served.points.search(NAME, QUERIES[0], filter=condition, limit=20, params=strategy)) == 20


def test_batches_answer_as_single_searches_do(served: Client) -> None:
    batch = served.points.search_batch(NAME, [headwater.SearchRequest(query) for query in QUERIES])
    for query, hits in zip(QUERIES, batch, strict=True):
        assert list(hits) == list(served.points.search(NAME, query))


def test_updates_and_deletes(served: Client, scratch: str) -> None:
    target = np.full(SIZE, 7, np.float32)
    served.points.upsert(scratch, [PointStruct(5, target), PointStruct(90_000, target)])
    served.points.delete(scratch, list(range(1_000, 2_000)))
    hits = served.points.search(scratch, target, limit=5)
    assert [hit.id for hit in hits[:2]] == [5, 90_000]
    assert recall(served, scratch, ALL_LISTS) == 1.0
    for query in QUERIES:
        assert not {hit.id for hit in served.points.search(scratch, query, limit=100)} & set(range(1_000, 2_000))
    served.vde.compact_collection(scratch)
    assert recall(served, scratch, ALL_LISTS) == 1.0


def test_kinds_change_both_ways(served: Client, scratch: str) -> None:
    for kind, stats in (("hnsw", "hnsw"), ("flat", "flat"), ("ivf", "ivf")):
        served.collections.update(scratch, update_vectors={"": VectorParamsDiff(index=kind)})
        served.vde.optimize(scratch)
        assert served.vde.get_stats(scratch).spaces[""].index == stats
        assert recall(served, scratch) >= 0.95


def test_a_partition_made_elsewhere(served: Client, scratch: str, tmp_path: Path) -> None:
    """Sampled, clustered, sent, built by assignment: as good as the server's own, and kept with the collection."""
    own = recall(served, scratch, SearchParams(ivf_nprobe=10))
    sample = served.vde.sample_vectors(scratch, 2_000, seed=4)
    assert sample.vectors.shape == (2_000, SIZE)
    assert np.array_equal(sample.vectors, VECTORS[np.array(sample.ids)])
    again = served.vde.sample_vectors(scratch, 2_000, seed=4)
    assert again.ids == sample.ids
    assert served.vde.sample_vectors(scratch, 2_000, seed=5).ids != sample.ids
    assert len(served.vde.sample_vectors(scratch, 100_000)) == COUNT
    rows = make_partition(sample.vectors, 40, backend="numpy", spherical=True)
    save(rows, tmp_path / "tree.npz")
    partition = served.vde.import_partition(scratch, load(tmp_path / "tree.npz"))
    assert partition.lists == (40,)
    tasks = served.vde.trigger_rebuild(scratch, partition_id=partition.partition_id)
    assert tasks
    served.vde.optimize(scratch)
    assert recall(served, scratch, SearchParams(ivf_nprobe=10)) >= own - 0.02
    served.vde.clone_collection(scratch, "copy")
    assert recall(served, "copy") == recall(served, scratch)
    assert served.vde.trigger_rebuild("copy", partition_id=partition.partition_id)
    served.collections.delete("copy")
    assert served.vde.delete_partition(scratch)
    assert not served.vde.delete_partition(scratch)
    with pytest.raises(headwater.PartitionNotFoundError):
        served.vde.trigger_rebuild(scratch, partition_id=partition.partition_id)


def test_a_tree_of_three_levels(served: Client, scratch: str) -> None:
    rows = make_partition(VECTORS[::2], [3, 10, 60], backend="numpy", spherical=True)
    partition = served.vde.import_partition(scratch, rows)
    assert len(partition.lists) == 3
    served.vde.trigger_rebuild(scratch, partition_id=partition.partition_id)
    served.vde.optimize(scratch)
    assert recall(served, scratch) >= 0.9
    text = served.points.explain(
        scratch, query=QUERIES[0], params=SearchParams(ivf_nprobe=[1, 2, 3]), analyze=True
    ).text
    assert f"nprobe 1 x 2 x 3 of {' x '.join(map(str, partition.lists))} lists" in text


def test_the_points_of_a_collection_as_a_partition(served: Client, scratch: str) -> None:
    served.collections.create("tree", VectorParams(SIZE))
    points = [PointStruct(1, VECTORS[0], {})]
    points += [PointStruct(number + 2, VECTORS[number], {"parent": 1}) for number in range(20)]
    served.points.upsert("tree", points)
    assert served.vde.import_partition(scratch, from_collection="tree").lists == (20,)
    served.points.upsert("tree", [PointStruct(50, VECTORS[0], {"parent": 49})])
    with pytest.raises(headwater.InvalidPartitionError) as refused:
        served.vde.import_partition(scratch, from_collection="tree")
    assert refused.value.malformation == "MISSING_PARENT"
    served.collections.delete("tree")


def test_malformed_partitions_leave_nothing_behind(served: Client, scratch: str) -> None:
    good = VECTORS[0]
    cases: list[tuple[str, list[tuple[int | None, int | None, object]]]] = [
        ("NULL_ID", [(None, None, good)]),
        ("REPEATED_ID", [(1, None, good), (1, None, good)]),
        ("MISSING_PARENT", [(1, None, good), (2, 3, good)]),
        ("TWO_ROOTS", [(1, None, good), (2, None, good), (3, 1, good)]),
        ("CYCLE", [(1, None, good), (5, 1, good), (2, 3, good), (3, 2, good)]),
        ("UNEQUAL_DEPTH", [(1, None, good), (2, 1, good), (3, 1, good), (4, 2, good)]),
        ("WRONG_DIMENSION", [(1, None, good[:3])]),
        ("NOT_FINITE", [(1, None, np.full(SIZE, np.nan, np.float32))]),
        ("EMPTY", []),
    ]
    for malformation, rows in cases:
        with pytest.raises(headwater.InvalidPartitionError) as refused:
            served.vde.import_partition(scratch, [PartitionRow(*row) for row in rows])  # type: ignore[arg-type]
        assert refused.value.malformation == malformation
    assert not served.vde.delete_partition(scratch)


def test_what_has_no_partition(served: Client) -> None:
    for index in ("auto", "flat", "hnsw"):
        served.collections.create(index, VectorParams(SIZE, index=index))
        with pytest.raises(headwater.NoPartitionPhaseError):
            served.vde.import_partition(index, [(1, None, VECTORS[0])])
        assert not served.vde.delete_partition(index)
        served.collections.delete(index)
    served.collections.create("was_ivf", VectorParams(SIZE, index="ivf"))
    partition = served.vde.import_partition("was_ivf", [(1, None, VECTORS[0])])
    served.collections.update("was_ivf", update_vectors={"": VectorParamsDiff(index="hnsw")})
    with pytest.raises(headwater.NoPartitionPhaseError):
        served.vde.trigger_rebuild("was_ivf", partition_id=partition.partition_id)
    served.collections.delete("was_ivf")
    served.collections.create("manhattan", VectorParams(SIZE, Distance.Manhattan, index="ivf"))
    with pytest.raises(headwater.InvalidArgumentError) as refused:
        served.vde.import_partition("manhattan", [(1, None, VECTORS[0])])
    assert refused.value.field == "header.using"
    served.collections.delete("manhattan")


@pytest.mark.parametrize(
    ("config", "field"),
    [
        (IvfConfig(lists=0), "lists[0]"),
        (IvfConfig(lists=[10, 5]), "lists"),
        (IvfConfig(lists=[1, 2, 3, 4]), "lists"),
        (IvfConfig(lists=[10, 50], nprobe=5), "nprobe"),
        (IvfConfig(nprobe=70_000), "nprobe[0]"),
        (IvfConfig(sampling_factor=0.5), "sampling_factor"),
        (IvfConfig(iterations=1_001), "iterations"),
    ],
)
def test_bad_settings(served: Client, config: IvfConfig, field: str) -> None:
    with pytest.raises(headwater.InvalidArgumentError) as refused:
        served.collections.create("bad", VectorParams(SIZE, index="ivf", ivf_config=config))
    assert refused.value.field == f'vectors[""].ivf_config.{field}'
    assert not served.collections.exists("bad")


def test_bad_nprobe_in_a_search(served: Client) -> None:
    with pytest.raises(headwater.InvalidArgumentError) as refused:
        served.points.search(NAME, QUERIES[0], params=SearchParams(ivf_nprobe=0))
    assert refused.value.field == "params.ivf_nprobe[0]"


def test_estimates_and_a_build_that_is_too_large(served: Client, scratch: str) -> None:
    estimates = served.vde.estimate_rebuild(scratch)
    assert sum(estimate.rows for estimate in estimates) == COUNT
    for estimate in estimates:
        assert (estimate.index, tuple(estimate.lists)) == ("ivf", (40,))
        assert estimate.peak_memory_bytes > 0
        assert estimate.seconds > 0
    with pytest.raises(headwater.BuildTooLargeError):
        served.vde.trigger_rebuild(scratch, max_build_memory_bytes=1_000)
    assert served.vde.trigger_rebuild(scratch, max_build_memory_bytes=2**40)


def test_lists_and_partitions_survive_kill_and_restart(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with doomed_server(data) as (process, address), Client(address) as client:
        create(client)
        partition = client.vde.import_partition(NAME, make_partition(VECTORS, 30, backend="numpy"))
        client.vde.trigger_rebuild(NAME, partition_id=partition.partition_id)
        client.vde.optimize(NAME)
        before = [list(client.points.search(NAME, query)) for query in QUERIES]
        process.kill()
    assert not check(data).problems
    with running_server(data) as address, Client(address) as client:
        assert [list(client.points.search(NAME, query)) for query in QUERIES] == before
        assert client.vde.get_state(NAME).state is CollectionState.READY
        assert client.vde.trigger_rebuild(NAME, partition_id=partition.partition_id)


def test_the_command_makes_and_sends_a_partition(tmp_path: Path) -> None:
    with running_server(tmp_path / "data") as address, Client(address) as client:
        create(client)
        command = [sys.executable, "-m", "headwater.partition", "--server", address, "--collection", NAME]
        options = ["--lists", "4", "30", "--sample", "1000", "--backend", "numpy", "--import"]
        output = ["--output", str(tmp_path / "tree.npz")]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        done = subprocess.run(
            [*command, *options, *output], capture_output=True, text=True, env=environment, check=True
        )
        assert "lists 4 x 30" in done.stdout
        assert len(load(tmp_path / "tree.npz")) == 35
        assert client.vde.delete_partition(NAME)
        failed = subprocess.run(
            [*command, "--lists", "9999"], capture_output=True, text=True, env=environment, check=False
        )
        assert failed.returncode == 2
        assert "ascend" in failed.stderr


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_filters_that_leave_nothing_near_the_query_find_what_is_farther(served: Client, share: float) -> None:
    """Anti-correlated: of the rows, those farthest from the query match."""
    for query in QUERIES[:8]:
        near = VECTORS @ query / np.linalg.norm(VECTORS, axis=1)
        far = np.argsort(near)[: int(share * COUNT)]
        condition = headwater.has_id(far.tolist())
        exact = served.points.search(NAME, query, filter=condition, params=SearchParams(exact=True))
        strategy = SearchParams(filter_strategy=headwater.FilterStrategy.Post)
        found = served.points.search(NAME, query, filter=condition, params=strategy)
        assert len({hit.id for hit in exact} & {hit.id for hit in found}) >= 8
