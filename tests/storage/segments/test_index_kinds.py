"""Which index serves a space: the kinds, the stored forms with the recall of their defaults, and bits."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from examples.datasets import load_wordnet
from storage.budget import UNLIMITED
from storage.collection import Collection
from storage.database import Database
from storage.mvcc.snapshot import Snapshot
from storage.schema import (
    CollectionSchema,
    Datatype,
    DenseSpace,
    Distance,
    HnswConfig,
    IndexKind,
    SchemaChange,
    SpaceDiff,
    default_datatype,
)
from storage.schema.stats import SpaceState, SpaceStats
from storage.search.dense import SpaceSearch
from storage.search.snapshot_search import search_vectors
from storage.settings import StorageSettings
from storage.vectors import distance
from storage.write.operations import SpaceVectors, Upsert
from tests.support.worlds import CODEC

Rows = NDArray[np.float32]
GRAPH_METRICS = [Distance.COSINE, Distance.DOT, Distance.EUCLID]
BINARY_METRICS = [Distance.HAMMING, Distance.JACCARD]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(Database.open(tmp_path / "data", codec=CODEC, settings=StorageSettings(background=True))) as database:
        yield database


@pytest.fixture(scope="module")
def wordnet() -> tuple[Rows, Rows]:
    """Embeddings of 2,000 definitions, and of 100 queries for them."""
    data = load_wordnet()
    return data.definition, data.query_vectors[:100]


def _bits(count: int, size: int, seed: int) -> Rows:
    """Rows of bits around 30 centres, of which one in ten is turned over. Two seeds share centres and no row."""
    centres = np.random.default_rng(99).random((30, size)) < 0.4
    random = np.random.default_rng(seed)
    bits = centres[random.integers(0, 30, count)] ^ (random.random((count, size)) < 0.1)
    return bits.astype(np.float32)


def _create(database: Database, threshold: int, space: DenseSpace) -> Collection:
    schema = CollectionSchema(spaces={"v": space}, indexing_threshold=threshold)
    return database.create_collection("c", schema)


def _write(collection: Collection, rows: Rows, first_id: int = 0) -> None:
    for start in range(0, len(rows), 500):
        part = rows[start : start + 500]
        ids = tuple(range(first_id + start, first_id + start + len(part)))
        vectors = {"v": SpaceVectors(np.arange(len(part)), part)}
        operation = Upsert(ids=ids, payloads=(CODEC.encode({}),) * len(part), vectors=vectors)
        collection.write([operation]).result(timeout=60)


def _settled(collection: Collection) -> SpaceStats:
    """Statistics of the space once nothing is due."""
    _wait_until(lambda: collection.stats().spaces["v"].state in (SpaceState.READY, SpaceState.ERROR))
    assert collection.work.failures == {}
    return collection.stats().spaces["v"]


def _wait_until(true: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def _recall(
    snapshot: Snapshot, queries: Rows, limit: int = 10, rescore: bool = True, oversampling: float | None = None
) -> float:
    """Mean share of hits that are at least as good as the worst of the exact ones. Every score must be exact."""
    searches = [
        SpaceSearch(space="v", vector=query, limit=limit, exact=exact, rescore=rescore, oversampling=oversampling)
        for query in queries
        for exact in (False, True)
    ]
    answers = search_vectors(snapshot, searches, UNLIMITED)
    metric = snapshot.schema.dense["v"].distance
    shares = []
    for query, hits, exact in zip(queries, answers[::2], answers[1::2], strict=True):
        _, rows = snapshot.vectors("v", hits.slots)
        assert hits.scores.tobytes() == distance.score_rows(metric, query, rows).tobytes()
        assert hits.strategy.startswith("hnsw")
        assert len(hits.slots) == limit
        worst = exact.scores[-1]
        shares.append(np.mean(hits.scores >= worst if metric.higher_is_better else hits.scores <= worst))
    return float(np.mean(shares))


@pytest.mark.slow
@pytest.mark.parametrize("datatype", Datatype)
def test_every_stored_form_has_recall_by_default(
    datatype: Datatype, database: Database, wordnet: tuple[Rows, Rows]
) -> None:
    rows, queries = wordnet
    for metric in GRAPH_METRICS:
        collection = _create(database, 500, DenseSpace(size=rows.shape[1], distance=metric, datatype=datatype))
        _write(collection, rows)
        stats = _settled(collection)
        assert (stats.index, stats.datatype, stats.indexed_vectors) == ("hnsw", datatype.value, len(rows))
        with collection.snapshot() as snapshot:
            shares = [_recall(snapshot, queries, limit) for limit in (10, 100)]
            assert min(shares) >= 0.95
        database.delete_collection("c")


def test_rescoring_and_oversampling_trade_recall(database: Database, wordnet: tuple[Rows, Rows]) -> None:
    """Signs alone choose badly, the more of them are scored the better they choose, and scores are exact throughout."""
    rows, queries = wordnet
    collection = _create(database, len(rows), DenseSpace(size=rows.shape[1], datatype=Datatype.BINARY))
    _write(collection, rows)
    assert _settled(collection).segments == 1
    with collection.snapshot() as snapshot:
        none = _recall(snapshot, queries, limit=40, rescore=False)
        once = _recall(snapshot, queries, limit=40, oversampling=1)
        twice = _recall(snapshot, queries, limit=40, oversampling=2)
        most = _recall(snapshot, queries, limit=40, oversampling=1_000)
    assert none == once < twice - 0.05
    assert twice < most - 0.05
    assert most == 1.0


def test_settings_of_rescoring_do_not_spread_within_a_batch(database: Database, wordnet: tuple[Rows, Rows]) -> None:
    rows, queries = wordnet
    collection = _create(database, len(rows), DenseSpace(size=rows.shape[1], datatype=Datatype.BINARY))
    _write(collection, rows)
    _settled(collection)
    searches = [
        SpaceSearch(space="v", vector=query, limit=40, rescore=rescore, oversampling=oversampling)
        for query in queries[:5]
        for rescore, oversampling in ((True, None), (False, None), (True, 2.0))
    ]
    with collection.snapshot() as snapshot:
        together = search_vectors(snapshot, searches, UNLIMITED)
        alone = [search_vectors(snapshot, [search], UNLIMITED)[0] for search in searches]
    assert [hits.slots.tobytes() for hits in together] == [hits.slots.tobytes() for hits in alone]
    assert together[0].slots.tobytes() != together[1].slots.tobytes()


@pytest.mark.parametrize("metric", BINARY_METRICS)
def test_bits(metric: Distance, database: Database) -> None:
    """By a graph with a tail, and exactly; the graph misses little."""
    space = DenseSpace(size=200, distance=metric, datatype=default_datatype(metric))
    collection = _create(database, 1500, space)
    _write(collection, _bits(1500, 200, seed=1))
    _write(collection, _bits(300, 200, seed=2), first_id=1500)
    stats = _settled(collection)
    assert (stats.index, stats.datatype, stats.tail_vectors) == ("hnsw", "binary", 300)
    queries = _bits(30, 200, seed=3)
    rows = np.concatenate([_bits(1500, 200, seed=1), _bits(300, 200, seed=2)])
    with collection.snapshot() as snapshot:
        assert _recall(snapshot, queries) >= 0.97
        for query in queries[:5]:
            hits = search_vectors(snapshot, [SpaceSearch(space="v", vector=query, limit=50, exact=True)], UNLIMITED)[0]
            true = distance.score_rows(metric, query, rows)
            assert hits.slots.tolist() == np.lexsort((np.arange(len(rows)), true))[:50].tolist()


def test_auto_has_a_graph_from_the_threshold_on(database: Database) -> None:
    rows = _bits(1000, 16, seed=1)
    collection = _create(database, 1000, DenseSpace(size=16, distance=Distance.EUCLID))
    _write(collection, rows[:500])
    stats = _settled(collection)
    assert (stats.index, stats.datatype, stats.segments) == ("flat", "float32", 0)
    _write(collection, rows[500:], first_id=500)
    stats = _settled(collection)
    assert (stats.index, stats.datatype, stats.segments) == ("hnsw", "bfloat16", 1)


def test_hnsw_has_a_graph_from_a_thousand_rows_on(database: Database) -> None:
    rows = _bits(1500, 16, seed=1)
    collection = _create(database, 100_000, DenseSpace(size=16, distance=Distance.EUCLID, index=IndexKind.HNSW))
    _write(collection, rows[:500])
    assert _settled(collection).index == "flat"
    _write(collection, rows[500:], first_id=500)
    stats = _settled(collection)
    assert (stats.index, stats.indexed_vectors, stats.tail_vectors) == ("hnsw", 1000, 500)


def test_flat_never_has_a_graph(database: Database) -> None:
    rows = _bits(1000, 16, seed=1)
    collection = _create(database, 100, DenseSpace(size=16, distance=Distance.EUCLID, index=IndexKind.FLAT))
    _write(collection, rows)
    stats = _settled(collection)
    assert (stats.index, stats.segments, stats.tail_vectors) == ("flat", 0, 1000)


def test_manhattan_is_scanned_whatever_is_asked_for(database: Database) -> None:
    collection = _create(database, 100, DenseSpace(size=16, distance=Distance.MANHATTAN, index=IndexKind.HNSW))
    _write(collection, _bits(1000, 16, seed=1))
    stats = _settled(collection)
    assert (stats.index, stats.datatype, stats.segments) == ("flat", "float32", 0)


def test_a_kind_may_change(database: Database, tmp_path: Path) -> None:
    """To FLAT at once, files and all, also after the next opening; back to a graph in the background."""
    collection = _create(database, 1000, DenseSpace(size=16, distance=Distance.EUCLID))
    rows = _bits(1000, 16, seed=1)
    _write(collection, rows)
    assert _settled(collection).index == "hnsw"
    collection.change_schema(SchemaChange(update={"v": SpaceDiff(index=IndexKind.FLAT)}))
    stats = collection.stats().spaces["v"]
    assert (stats.index, stats.state) == ("flat", SpaceState.READY)
    assert list((tmp_path / "data").rglob("*.index")) == []
    with collection.snapshot() as snapshot:
        hits = search_vectors(snapshot, [SpaceSearch(space="v", vector=rows[3], limit=5)], UNLIMITED)[0]
        assert (hits.strategy, hits.scores[0]) == ("exact", 0)
    database.close_collection("c")
    database.open_collection("c")
    collection = database.collection("c")
    assert collection.schema.dense["v"].index is IndexKind.FLAT
    assert _settled(collection).index == "flat"
    collection.change_schema(SchemaChange(update={"v": SpaceDiff(index=IndexKind.HNSW, datatype=Datatype.INT8)}))
    _wait_until(lambda: collection.stats().spaces["v"].index == "hnsw")
    assert _settled(collection).datatype == "int8"
    with collection.snapshot() as snapshot:
        assert _recall(snapshot, rows[:20] + np.float32(0.3), limit=5) >= 0.95


def test_a_build_that_ends_after_the_change_to_flat_is_in_vain(database: Database) -> None:
    collection = _create(database, 1000, DenseSpace(size=16, distance=Distance.EUCLID))
    _write(collection, _bits(1000, 16, seed=1))
    _settled(collection)
    space = collection.spaces()["v"]
    (entry, _), (block, _) = space.manifest.blocks, space.blocks
    assert block.index is not None
    assert entry.index is not None
    collection.change_schema(SchemaChange(update={"v": SpaceDiff(index=IndexKind.FLAT)}))
    assert not collection.unseen.attach_index(space.schema.uid, entry.uid, block.index, entry.index)
    assert _settled(collection).index == "flat"


def test_scales_outlive_the_process(database: Database) -> None:
    """Lengths far from 1, in a form that needs its scale: a graph opened without it would compare nonsense."""
    rows = _bits(1000, 64, seed=1) * np.linspace(1e-3, 3e-3, 1000, dtype=np.float32)[:, None]
    collection = _create(database, 1000, DenseSpace(size=64, distance=Distance.EUCLID, datatype=Datatype.INT8))
    _write(collection, rows)
    _settled(collection)
    database.close_collection("c")
    database.open_collection("c")
    collection = database.collection("c")
    assert _settled(collection).index == "hnsw"
    with collection.snapshot() as snapshot:
        assert _recall(snapshot, rows[::50]) >= 0.95


def test_a_poor_graph_serves_with_a_warning(database: Database) -> None:
    """Its settings were chosen, so it is neither given up nor scanned for ever; who looks is told."""
    rows = np.random.default_rng(1).standard_normal((600, 32)).astype(np.float32)
    poor = HnswConfig(m=2, ef_construct=4, ef=1)
    space = DenseSpace(size=32, distance=Distance.EUCLID, datatype=Datatype.INT8, hnsw=poor)
    collection = _create(database, 600, space)
    _write(collection, rows)
    stats = _settled(collection)
    assert (stats.state, stats.index, stats.datatype) == (SpaceState.READY, "hnsw", "int8")
    assert stats.recall is not None
    assert stats.recall < 0.95
    assert stats.warning.endswith("help: a larger hnsw_ef than 1, a larger m or ef_construct, or exact searches")
    with collection.snapshot() as snapshot:
        hits = search_vectors(snapshot, [SpaceSearch(space="v", vector=rows[7], limit=1)], UNLIMITED)[0]
    assert hits.strategy == "hnsw"
    assert "has a measured recall at 10 of" in hits.reason


def test_a_form_that_hides_rows_is_said_to_be_too_coarse(database: Database) -> None:
    """A better graph would find no more of them, and is not advised."""
    rows = np.random.default_rng(2).standard_normal((1500, 8)).astype(np.float32)
    space = DenseSpace(size=8, distance=Distance.COSINE, datatype=Datatype.BINARY, hnsw=HnswConfig(ef=64))
    collection = _create(database, 1500, space)
    _write(collection, rows)
    stats = _settled(collection)
    assert (stats.index, stats.datatype) == ("hnsw", "binary")
    assert stats.warning.endswith("what would help: a finer datatype, a larger hnsw_ef than 64, or exact searches")
