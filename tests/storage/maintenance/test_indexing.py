"""Graphs: what they find, what filters and deletions do to that, and how they are built beside reads and writes."""

import time

import numpy as np
import pytest
from numpy.typing import NDArray

from storage.budget import UNLIMITED
from storage.collection import Collection
from storage.mvcc.snapshot import Snapshot
from storage.schema import (
    CollectionSchema,
    Datatype,
    DenseSpace,
    Distance,
    HnswConfigDiff,
    SchemaChange,
    SpaceDiff,
)
from storage.schema.stats import SpaceState
from storage.search import walk
from storage.search.dense import SpaceHits, SpaceSearch
from storage.search.snapshot_search import search_vectors
from storage.segments.slot_set import SlotSet
from storage.settings import StorageSettings
from storage.vectors import distance
from storage.write.operations import ByIds, BySlots, DeletePoints, SpaceVectors, UpdateVectors, Upsert
from tests.storage.builds import builds, kill_build, wait_until
from tests.storage.graphs import attach_graphs, blocks_without_graph
from tests.storage.model import write
from tests.support.directories import CODEC, Directories
from tests.support.held import held_writer

Rows = NDArray[np.float32]
COUNT, SIZE, TAIL = 3000, 24, 300
BACKGROUND = StorageSettings(background=True)


def _clustered(count: int, seed: int = 0) -> Rows:
    """Rows around 50 centres, as embeddings are; those of two seeds share no row and all centres."""
    centres = np.random.default_rng(99).standard_normal((50, SIZE), np.float32)
    random = np.random.default_rng(seed)
    rows: Rows = centres[random.integers(0, 50, count)] + 0.4 * random.standard_normal((count, SIZE), np.float32)
    return rows


def _upsert(collection: Collection, space: str, rows: Rows, first_id: int = 0) -> None:
    for start in range(0, len(rows), 1000):
        part = rows[start : start + 1000]
        ids = tuple(range(first_id + start, first_id + start + len(part)))
        vectors = {space: SpaceVectors(np.arange(len(part)), part)}
        write(collection, Upsert(ids=ids, payloads=(CODEC.encode({}),) * len(part), vectors=vectors))


def _segment_and_tail(directories: Directories, metric: Distance, datatype: Datatype = Datatype.BFLOAT16) -> Collection:
    """A sealed segment of COUNT rows and a tail of TAIL rows; ids are slots are rows."""
    schema = CollectionSchema(spaces={"v": DenseSpace(size=SIZE, distance=metric, datatype=datatype)})
    collection = directories.open().create_collection("c", schema)
    _upsert(collection, "v", _clustered(COUNT))
    collection.change_schema(SchemaChange(indexing_threshold=COUNT))
    attach_graphs(collection)
    _upsert(collection, "v", _clustered(TAIL, seed=1), first_id=COUNT)
    return collection


def _find(snapshot: Snapshot, search: SpaceSearch) -> SpaceHits:
    return search_vectors(snapshot, [search], UNLIMITED)[0]


def _recall(snapshot: Snapshot, *, allowed: NDArray[np.uint32] | None = None, strategy: str = "auto") -> float:
    """Mean recall at 10 over 60 queries. Every hit's score must be exact, and there must be ten."""
    schema = snapshot.schema.dense["v"]
    among = None if allowed is None else SlotSet(allowed)
    shares = []
    for query in _clustered(60, seed=2):
        hits, exact = search_vectors(
            snapshot,
            [
                SpaceSearch(space="v", vector=query, limit=10, allowed=among, filter_strategy=strategy),
                SpaceSearch(space="v", vector=query, limit=10, allowed=among, exact=True),
            ],
            UNLIMITED,
        )
        _, rows = snapshot.vectors("v", hits.slots)
        assert hits.scores.tobytes() == distance.score_rows(schema.distance, query, rows).tobytes()
        assert len(hits.slots) == len(exact.slots) == 10
        assert allowed is None or np.isin(hits.slots, allowed).all()
        shares.append(len(np.intersect1d(hits.slots, exact.slots)) / 10)
    return float(np.mean(shares))


@pytest.mark.parametrize("metric", [Distance.COSINE, Distance.DOT, Distance.EUCLID])
def test_recall(metric: Distance, directories: Directories) -> None:
    """Of a segment with its tail, filtered by either strategy, and with many dead rows."""
    collection = _segment_and_tail(directories, metric)
    random = np.random.default_rng(5)
    every = np.arange(COUNT + TAIL, dtype=np.uint32)
    with collection.snapshot() as snapshot:
        assert _find(snapshot, SpaceSearch(space="v", vector=_clustered(1)[0], limit=1)).strategy == "hnsw+tail"
        assert _recall(snapshot) >= 0.97
        most = np.sort(random.choice(every, 2500, replace=False))
        few = np.sort(random.choice(every, 200, replace=False))
        assert _recall(snapshot, allowed=most) >= 0.97
        assert _recall(snapshot, allowed=few) == 1.0
        assert _recall(snapshot, allowed=most, strategy="pre") == 1.0
        assert _recall(snapshot, allowed=few, strategy="post") >= 0.97
    dead = random.choice(every, 1500, replace=False).tolist()
    write(collection, DeletePoints(selector=ByIds(tuple(dead))))
    with collection.snapshot() as snapshot:
        assert _recall(snapshot) >= 0.97


def test_walks_adapt_to_what_the_filter_lets_through(directories: Directories, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where matching rows are too many to scan: spread, all near the query, or all far, where a walk finds none."""
    monkeypatch.setattr(walk, "SCANNED_PER_STEP", 1)
    collection = _segment_and_tail(directories, Distance.COSINE)
    with collection.snapshot() as snapshot:
        for query in _clustered(10, seed=2):
            order = _find(snapshot, SpaceSearch(space="v", vector=query, limit=COUNT + TAIL, exact=True)).slots
            near, far = np.sort(order[:1_500]), np.sort(order[-1_500:])
            spread = np.sort(np.random.default_rng(1).choice(order, 1_500, replace=False))
            for allowed in (near, far, spread):
                searches = [
                    SpaceSearch(space="v", vector=query, limit=limit, allowed=SlotSet(allowed), hnsw_ef=ef)
                    for limit, ef in ((10, 64), (100, 64), (1, 32))
                ]
                for search, hits in zip(searches, search_vectors(snapshot, searches, UNLIMITED), strict=True):
                    best = order[np.isin(order, allowed)][: search.limit]
                    assert len(hits.slots) == search.limit
                    assert len(np.intersect1d(hits.slots, best)) >= 0.9 * search.limit
                    assert _find(snapshot, search).slots.tolist() == hits.slots.tolist()
                    assert ("scanned after all" in hits.reason) >= (allowed is far), hits.reason
                    assert hits.strategy == "hnsw+tail"


@pytest.mark.slow
@pytest.mark.parametrize("datatype", Datatype)
def test_recall_of_each_stored_form(datatype: Datatype, directories: Directories) -> None:
    with _segment_and_tail(directories, Distance.COSINE, datatype).snapshot() as snapshot:
        assert _recall(snapshot) >= 0.97


def test_limit_is_filled_while_enough_match(directories: Directories) -> None:
    """Whatever the strategy, also where matches lie far from the query, and most rows are dead."""
    collection = _segment_and_tail(directories, Distance.EUCLID)
    write(collection, DeletePoints(selector=ByIds(tuple(range(0, COUNT, 2)))))
    query = _clustered(COUNT)[1]
    with collection.snapshot() as snapshot:
        alive = snapshot.slots_with_vector("v")
        far = np.sort(_find(snapshot, SpaceSearch(space="v", vector=query, limit=10_000, exact=True)).slots[-300:])
        for allowed in (None, far, far[:5], far[:0], alive, alive[::2], alive[::20]):
            matching = alive if allowed is None else allowed
            for limit in (1, 10, 250, 5000):
                for strategy in ("auto", "pre", "post"):
                    for ef in (None, 1):
                        search = SpaceSearch(
                            space="v",
                            vector=query,
                            limit=limit,
                            allowed=None if allowed is None else SlotSet(allowed),
                            filter_strategy=strategy,
                            hnsw_ef=ef,
                        )
                        hits = _find(snapshot, search)
                        assert len(hits.slots) == min(limit, len(matching)), search
                        assert len(np.unique(hits.slots)) == len(hits.slots)
                        assert np.isin(hits.slots, matching).all()


def test_indexed_only_leaves_the_tail_out(directories: Directories) -> None:
    collection = _segment_and_tail(directories, Distance.EUCLID)
    in_tail = _clustered(TAIL, seed=1)[17]
    write(collection, DeletePoints(selector=ByIds((5,))))
    with collection.snapshot() as snapshot:
        for exact in (False, True):
            both = _find(snapshot, SpaceSearch(space="v", vector=in_tail, limit=5, exact=exact))
            assert both.slots[0] == COUNT + 17
            assert both.scores[0] == 0
            search = SpaceSearch(space="v", vector=in_tail, limit=10_000, exact=exact, indexed_only=True)
            indexed = _find(snapshot, search)
            assert sorted(indexed.slots.tolist()) == [slot for slot in range(COUNT) if slot != 5]
        # Rewritten, a row of the segment moves to the tail.
        vectors = {"v": SpaceVectors(np.arange(1), in_tail[None])}
    write(collection, UpdateVectors(ids=(6,), vectors=vectors))
    with collection.snapshot() as snapshot:
        indexed = _find(snapshot, search)
        assert not {5, 6} & set(indexed.slots.tolist())
        assert 6 in _find(snapshot, SpaceSearch(space="v", vector=in_tail, limit=5)).slots.tolist()


def test_answers_of_a_batch_are_those_of_each_search(directories: Directories) -> None:
    """Different filters, limits and settings side by side, some filters shared."""
    collection = _segment_and_tail(directories, Distance.COSINE)
    half = np.arange(0, COUNT + TAIL, 2, dtype=np.uint32)
    few = np.arange(0, COUNT + TAIL, 100, dtype=np.uint32)
    searches = [
        SpaceSearch(space="v", vector=query, limit=limit, allowed=allowed, exact=exact, hnsw_ef=ef, filter_strategy=how)
        for query in _clustered(3, seed=4)
        for limit in (1, 20)
        for allowed in (None, SlotSet(half), SlotSet(few))
        for exact, ef, how in ((False, None, "auto"), (True, None, "auto"), (False, 30, "post"))
    ]
    with collection.snapshot() as snapshot:
        together = search_vectors(snapshot, searches, UNLIMITED)
        for search, hits in zip(searches, together, strict=True):
            alone = _find(snapshot, search)
            assert alone.slots.tobytes() == hits.slots.tobytes()
            assert alone.scores.tobytes() == hits.scores.tobytes()
            assert alone.strategy == hits.strategy


def test_manhattan_is_scanned(directories: Directories) -> None:
    schema = CollectionSchema(spaces={"v": DenseSpace(size=SIZE, distance=Distance.MANHATTAN)}, indexing_threshold=1000)
    collection = directories.open(settings=BACKGROUND).create_collection("c", schema)
    rows = _clustered(COUNT)
    _upsert(collection, "v", rows)
    assert blocks_without_graph(collection) == []
    stats = collection.stats().spaces["v"]
    assert (stats.index, stats.segments, stats.state) == ("flat", 0, SpaceState.READY)
    assert (stats.vectors, stats.indexed_vectors, stats.tail_vectors) == (COUNT, 0, COUNT)
    with collection.snapshot() as snapshot:
        hits = _find(snapshot, SpaceSearch(space="v", vector=rows[7], limit=10))
    true = distance.score_rows(Distance.MANHATTAN, rows[7], rows)
    assert hits.slots.tolist() == np.lexsort((np.arange(COUNT), true))[:10].tolist()


def test_settings_of_a_graph_may_change_under_it(directories: Directories) -> None:
    """A graph is opened as it was built, whatever its space says meanwhile."""
    collection = _segment_and_tail(directories, Distance.COSINE)
    diff = SpaceDiff(hnsw=HnswConfigDiff(m=4, ef=256), datatype=Datatype.FLOAT32)
    collection.change_schema(SchemaChange(update={"v": diff}))
    directories.close()
    collection = directories.open().collection("c")
    assert collection.stats().spaces["v"].segments == 1
    with collection.snapshot() as snapshot:
        assert snapshot.schema.dense["v"].hnsw.m == 4
        assert _recall(snapshot) >= 0.97


def test_a_block_whose_rows_are_all_dead(directories: Directories) -> None:
    """It is indexed like any other, so that nothing is due for ever; nothing is found in it."""
    schema = CollectionSchema(spaces={"v": DenseSpace(size=SIZE)}, indexing_threshold=100)
    collection = directories.open().create_collection("c", schema)
    with held_writer(collection):
        sealing = collection.write([_one_block()])
        deleting = collection.write([DeletePoints(selector=ByIds(tuple(range(100))))])
    assert sealing.result(30).seq == deleting.result(30).seq
    assert len(blocks_without_graph(collection)) == 1
    directories.close()
    collection = directories.open(settings=BACKGROUND).collection("c")
    wait_until(lambda: not blocks_without_graph(collection))
    assert collection.work.failures == {}
    _upsert(collection, "v", _clustered(10), first_id=500)
    with collection.snapshot() as snapshot:
        hits = _find(snapshot, SpaceSearch(space="v", vector=_clustered(1)[0], limit=20))
        assert len(hits.slots) == 10
    directories.close()
    assert blocks_without_graph(directories.open().collection("c")) == []


def _one_block() -> Upsert:
    vectors = {"v": SpaceVectors(np.arange(100), _clustered(100))}
    return Upsert(ids=tuple(range(100)), payloads=(CODEC.encode({}),) * 100, vectors=vectors)


def test_background_indexing(directories: Directories) -> None:
    """Blocks get their graphs while writes and reads go on, and the states tell how far it is."""
    schema = CollectionSchema(spaces={"v": DenseSpace(size=SIZE, distance=Distance.EUCLID)}, indexing_threshold=1000)
    database = directories.open(settings=BACKGROUND)
    collection = database.create_collection("c", schema)
    assert collection.stats().spaces["v"].state is SpaceState.AWAITING_VECTORS
    _upsert(collection, "v", _clustered(COUNT))
    write(collection, DeletePoints(selector=BySlots(lambda reader: np.arange(10, dtype=np.uint32))))
    wait_until(lambda: collection.stats().spaces["v"].segments > 0)
    wait_until(lambda: collection.stats().spaces["v"].state is SpaceState.READY)
    stats = collection.stats()
    assert (stats.points, stats.points_with_vectors) == (COUNT - 10, COUNT - 10)
    space = stats.spaces["v"]
    assert (space.vectors, space.indexed_vectors, space.tail_vectors) == (COUNT - 10, COUNT - 10, 0)
    assert space.deleted_vectors <= 10  # a merge that began after the deletion leaves the rows out
    assert space.index == "hnsw"
    with collection.snapshot() as snapshot:
        assert _recall(snapshot) >= 0.97


def test_a_killed_build_is_started_again(directories: Directories) -> None:
    schema = CollectionSchema(spaces={"v": DenseSpace(size=SIZE, distance=Distance.EUCLID)})
    collection = directories.open(settings=BACKGROUND).create_collection("c", schema)
    _upsert(collection, "v", _clustered(COUNT))
    collection.change_schema(SchemaChange(indexing_threshold=COUNT))
    killed = kill_build()
    assert collection.stats().spaces["v"].segments == 0
    wait_until(lambda: collection.stats().spaces["v"].segments == 1)
    assert killed
    assert collection.work.failures == {}


@pytest.mark.slow
def test_a_build_that_always_dies_is_given_up(directories: Directories) -> None:
    """Reads and writes go on without it, the state says so, and opening again is another chance."""
    schema = CollectionSchema(spaces={"v": DenseSpace(size=SIZE, distance=Distance.EUCLID)})
    database = directories.open(settings=BACKGROUND)
    collection = database.create_collection("c", schema)
    _upsert(collection, "v", _clustered(COUNT))
    collection.change_schema(SchemaChange(indexing_threshold=COUNT))
    for _ in range(3):
        kill_build()
    wait_until(lambda: collection.stats().spaces["v"].state is SpaceState.ERROR)
    _upsert(collection, "v", _clustered(10), first_id=COUNT)
    with collection.snapshot() as snapshot:
        assert _recall(snapshot) == 1.0
    directories.close()
    collection = directories.open(settings=BACKGROUND).collection("c")
    wait_until(lambda: collection.stats().spaces["v"].segments == 1)


def test_closing_in_the_middle_of_a_build(directories: Directories) -> None:
    """The database closes at once, and the build is done after the next opening; collections may come and go, too."""
    schema = CollectionSchema(spaces={"v": DenseSpace(size=SIZE, distance=Distance.EUCLID)})
    database = directories.open(settings=BACKGROUND)
    for name in ("kept", "deleted"):
        _upsert(database.create_collection(name, schema), "v", _clustered(COUNT))
    for name in ("deleted", "kept"):
        database.collection(name).change_schema(SchemaChange(indexing_threshold=COUNT))
    wait_until(lambda: bool(builds()))
    database.delete_collection("deleted")
    for _ in range(5):
        database.close_collection("kept")
        database.open_collection("kept")
        wait_until(lambda: bool(builds()))
    started = time.monotonic()
    directories.close()
    assert time.monotonic() - started < 5
    assert builds() == []
    collection = directories.open(settings=BACKGROUND).collection("kept")
    wait_until(lambda: collection.stats().spaces["v"].segments == 1)


def test_closing_and_opening_is_no_failed_build(directories: Directories) -> None:
    """A build that is in vain because its collection was closed does not count among the attempts."""
    schema = CollectionSchema(spaces={"v": DenseSpace(size=SIZE, distance=Distance.EUCLID)})
    database = directories.open(settings=BACKGROUND)
    _upsert(database.create_collection("c", schema), "v", _clustered(COUNT))
    database.collection("c").change_schema(SchemaChange(indexing_threshold=COUNT))
    for _ in range(4):
        wait_until(lambda: bool(builds()))
        database.close_collection("c")
        wait_until(lambda: not builds())
        database.open_collection("c")
    collection = database.collection("c")
    wait_until(lambda: collection.stats().spaces["v"].segments == 1)


def test_dropping_a_space_in_the_middle_of_its_build(directories: Directories) -> None:
    schema = CollectionSchema(spaces={"v": DenseSpace(size=SIZE), "w": DenseSpace(size=SIZE)})
    collection = directories.open(settings=BACKGROUND).create_collection("c", schema)
    _upsert(collection, "v", _clustered(COUNT))
    collection.change_schema(SchemaChange(indexing_threshold=COUNT))
    wait_until(lambda: bool(builds()))
    collection.change_schema(SchemaChange(drop=("v",)))
    _upsert(collection, "w", _clustered(COUNT))
    wait_until(lambda: collection.stats().spaces["w"].segments == 1)
    with collection.snapshot() as snapshot:
        assert set(snapshot.schema.dense) == {"w"}
