"""Every method against a real server, once through the blocking client and once through the async one.

One tour is written for both: what a blocking method returns is not awaited. What answers mean is tested elsewhere.
"""

import asyncio
import inspect
import re
import time
from collections.abc import Iterator
from pathlib import Path
from textwrap import indent
from typing import Any

import numpy as np
import pytest

import headwater
from headwater import (
    AbsenceReason,
    AsyncClient,
    Client,
    CollectionState,
    Dbsf,
    Distance,
    Field,
    Fusion,
    HnswConfigDiff,
    PointStruct,
    PointVectors,
    PrefetchQuery,
    QueryRequest,
    Rrf,
    SearchRequest,
    VectorParams,
    distribution_based_score_fusion,
    reciprocal_rank_fusion,
)
from tests.support.documents import fences
from tests.support.root import ROOT
from tests.support.server_process import running_server

README = ROOT / "client/README.md"
RANDOM = np.random.default_rng(7)
TEXT, IMAGE = RANDOM.normal(size=(60, 8)).astype(np.float32), RANDOM.normal(size=(60, 4)).astype(np.float32)
QUERY_TEXT, QUERY_IMAGE = RANDOM.normal(size=8).astype(np.float32), RANDOM.normal(size=4)
POINTS = [
    PointStruct(number, {"text": TEXT[number], "image": IMAGE[number]}, {"number": number, "even": number % 2 == 0})
    for number in range(60)
]
SPACES = {"text": VectorParams(8), "image": VectorParams(4, Distance.EUCLID, HnswConfigDiff(m=8))}
PREFETCH = [PrefetchQuery(QUERY_TEXT, "text", 30), PrefetchQuery(QUERY_IMAGE, "image", 30)]


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    with running_server(tmp_path / "data") as listening:
        yield listening


class Tour:
    """Calls methods of either client and remembers which."""

    def __init__(self, client: Client | AsyncClient) -> None:
        self.client = client
        self.called: set[str] = set()

    async def __call__(self, method: str, *args: Any, **kwargs: Any) -> Any:
        namespace, name = method.split(".")
        self.called.add(method)
        result = getattr(getattr(self.client, namespace), name)(*args, **kwargs)
        if inspect.isasyncgen(result):
            return [item async for item in result]
        if inspect.isgenerator(result):
            return list(result)
        return await result if inspect.isawaitable(result) else result


async def tour_of_collections(call: Tour) -> None:
    info = await call("collections.create", "shop", SPACES, optimizers_config={"indexing_threshold": 5000})
    assert info == await call("collections.get_info", "shop") == await call("collections.get_or_create", "shop")
    assert info.vectors["image"].params.distance is Distance.EUCLID
    assert info.optimizers_config.indexing_threshold == 5000
    with pytest.raises(headwater.CollectionAlreadyExistsError):
        await call("collections.create", "shop")
    assert await call("collections.list", prefix="sh") == ["shop"]
    await call("collections.create_alias", "old", "shop")
    await call("collections.rename_alias", "old", "new")
    assert await call("collections.list_aliases", "shop") == [headwater.Alias("new", "shop")]
    assert (await call("collections.get_info", "new")).name == "shop"
    await call("collections.delete_alias", "new")
    await call("collections.update_aliases", [headwater.CreateAlias("a", "shop"), headwater.DeleteAlias("a")])
    assert not await call("collections.exists", "new")
    changed = await call("collections.update", "shop", add_vectors={"third": VectorParams(2)})
    assert set(changed.vectors) == {"text", "image", "third"}
    await call("collections.update", "shop", drop_vectors=["third"], optimizers_config={"indexing_threshold": 9000})


async def tour_of_writes(call: Tour) -> None:
    assert (await call("points.upsert", "shop", POINTS[:10])).affected == 10
    assert await call("points.upload_points", "shop", iter(POINTS), batch_size=25) == 60
    await call("points.update_vectors", "shop", [PointVectors(1, {"image": [1, 2, 3, 4]})])
    assert await call("points.create_text_index", "shop", "words", headwater.TextIndexParams("whitespace"))
    assert await call("points.query", "shop", headwater.Bm25("x", "words")) == []
    assert await call("points.delete_text_index", "shop", "words")
    await call("points.set_payload", "shop", {"b": 1}, [1], key="a")
    (one,) = await call("points.get", "shop", [1, 999], with_vectors=True)
    assert one.payload == {"number": 1, "even": False, "a": {"b": 1}}
    assert list(one.vectors["image"]) == [1, 2, 3, 4]
    assert one.vectors["text"].tobytes() == TEXT[1].tobytes()
    await call("points.delete_payload", "shop", ["a.b"], [1])
    await call("points.overwrite_payload", "shop", {"only": 2**63 - 1}, filter=headwater.has_id([2]))
    await call("points.clear_payload", "shop", [3])
    await call("points.delete_vectors", "shop", ["image"], [4])
    records = await call("points.get", "shop", [4, 3, 2], with_vectors=["image"])
    assert [record.payload for record in records] == [{"number": 4, "even": True}, {}, {"only": 2**63 - 1}]
    assert [set(record.vectors) for record in records] == [set(), {"image"}, {"image"}]
    batch = [headwater.Upsert([PointStruct("new")]), headwater.SetPayload({"x": None}, ids=["new"])]
    assert len({result.seq for result in await call("points.update_batch", "shop", batch)}) == 1
    assert (await call("points.delete", "shop", ["new", "absent"])).affected == 1
    await call("points.upsert", "shop", POINTS)


async def tour_of_reads(call: Tour) -> None:
    assert await call("points.count", "shop", filter=Field("number").lt(10) & Field("even").eq(True)) == 5
    page, following = await call("points.scroll", "shop", limit=2, with_payload=["number"])
    assert ([record.payload for record in page], following) == ([{"number": 0}, {"number": 1}], 2)
    page = await call("points.scroll", "shop", limit=2, cursor_ttl=60)
    again = await call("points.scroll", "shop", limit=1, offset=page.next_offset, cursor=page.cursor)
    assert ([record.id for record in again.points], again.seq) == ([2], page.seq)
    assert await call("points.close_cursor", page.cursor)
    everything = await call("points.scroll_all", "shop", filter=Field("even").eq(True), batch_size=7)
    assert [record.id for record in everything] == list(range(0, 60, 2))
    ranked = await call("points.query_all", "shop", QUERY_TEXT, using="text", batch_size=7)
    whole = await call("points.query", "shop", QUERY_TEXT, using="text", limit=60)
    assert [hit.id for hit in ranked] == [hit.id for hit in whole]
    exact = TEXT @ QUERY_TEXT / np.linalg.norm(TEXT, axis=1) / np.linalg.norm(QUERY_TEXT)
    hits = await call("points.search", "shop", QUERY_TEXT, using="text", limit=3)
    assert [hit.id for hit in hits] == list(np.argsort(-exact)[:3])
    lists = await call(
        "points.search_batch",
        "shop",
        [SearchRequest(QUERY_TEXT, "text", 30), {"vector": QUERY_IMAGE, "using": "image", "limit": 30}],
    )
    for weights in (None, [1.0, 3.0]):
        fused = await call("points.query", "shop", Rrf(weights=weights), prefetch=PREFETCH, limit=60)
        assert fused == reciprocal_rank_fusion(lists, limit=60, weights=weights)
        fused = await call("points.query", "shop", {"fusion": Dbsf(weights)}, prefetch=PREFETCH, limit=60)
        assert fused == distribution_based_score_fusion(lists, 60, weights, higher_is_better=[True, False])
    first, second = await call(
        "points.query_batch", "shop", [{"query": 1, "using": "text"}, QueryRequest(Fusion.RRF, PREFETCH)]
    )
    assert (len(first), len(second), first.seq) == (10, 10, second.seq)
    explanation = await call("points.explain", "shop", Fusion.RRF, prefetch=PREFETCH, analyze=True)
    assert {"rrf", "search"} <= {node.operator for node in explanation.root}
    assert str(explanation).count("\n") >= 2
    assert [hit.id for hit in explanation.hits] == [hit.id for hit in second]
    point = await call("points.explain_point", "shop", second[1].id, Fusion.RRF, prefetch=PREFETCH)
    assert (point.returned, point.stages[0].rank, point.stages[0].score) == (True, 2, second[1].score)
    one, none = await call("points.explain_points", "shop", [second[0].id, "nobody"], Fusion.RRF, prefetch=PREFETCH)
    assert (one.returned, one.stages[0].rank, none.reason) == (True, 1, AbsenceReason.NOT_STORED)


async def tour_of_analyses(call: Tour) -> None:
    assert (await call("points.create_field_index", "shop", "even", "bool")).points == 60
    assert [(hit.value, hit.count) for hit in await call("points.facet", "shop", "even")] == [(False, 30), (True, 30)]
    groups = await call("points.query_groups", "shop", QUERY_TEXT, group_by="even", using="text", group_size=2)
    best = await call("points.query", "shop", QUERY_TEXT, using="text", limit=1)
    assert {group.value for group in groups} == {True, False}
    assert (groups[0].points[0].id, len(groups[0].points)) == (best[0].id, 2)
    rows = await call("points.aggregate", "shop", {"most": ("max", "number"), "n": "count"}, group_by="even")
    assert [(row.value, row.results["most"], row.results["n"]) for row in rows] == [(False, 59, 30), (True, 58, 30)]
    pairs = await call("points.search_matrix_pairs", "shop", sample=10, limit=3, using="text", seed=1)
    offsets = await call("points.search_matrix_offsets", "shop", sample=10, limit=3, using="text", seed=1)
    assert [pair.score for pair in pairs] == list(offsets.scores)
    assert await call("points.delete_field_index", "shop", "even")


async def tour_of_vde(call: Tour) -> None:
    assert await call("vde.flush", "shop") > 0
    count = await call("vde.get_vector_count", "shop")
    assert (count, count.spaces) == (60, {"text": 60, "image": 60})
    assert (await call("vde.get_stats", "shop")).total.vectors == 120
    assert await call("vde.close", "shop") is CollectionState.CLOSED
    assert await call("vde.open", "shop") is CollectionState.READY
    assert (await call("vde.get_state", "shop")).state is CollectionState.READY
    await call("vde.clone_collection", "shop", "copy")
    assert await call("points.count", "copy") == 60
    assert await call("collections.delete", "copy")


async def tour_of_maintenance(call: Tour) -> None:
    vectors = RANDOM.normal(size=(1_000, 8)).astype(np.float32)
    await call("points.upsert", "shop", [PointStruct(100 + n, {"text": row}) for n, row in enumerate(vectors)])
    assert [task.using for task in await call("vde.optimize", "shop")] == ["text"]
    assert (await call("vde.get_stats", "shop")).spaces["text"].segments == 1
    [rebuilt] = await call("vde.rebuild_index", "shop", "text")
    assert (rebuilt.kind, rebuilt.phase, rebuilt.ended) == (headwater.TaskKind.REBUILD, "done", True)
    [task_id] = await call("vde.trigger_rebuild", "shop", "text")
    assert (await call("vde.get_rebuild_task", task_id)).kind is headwater.TaskKind.REBUILD
    assert (await call("vde.cancel_rebuild_task", task_id)).ended
    assert task_id in [task.task_id for task in await call("vde.list_rebuild_tasks", "shop")]
    sample = await call("vde.sample_vectors", "shop", 50, "text")
    assert sample.vectors.shape == (50, 8)
    await call("collections.create", "lists", headwater.VectorParams(8, index="ivf"))
    partition = await call("vde.import_partition", "lists", [(n, None, row) for n, row in enumerate(sample.vectors)])
    assert partition.lists == (50,)
    assert await call("vde.delete_partition", "lists")
    assert await call("collections.delete", "lists")
    [estimate] = await call("vde.estimate_rebuild", "shop", "text")
    assert (estimate.rows, estimate.index) == (1_060, "hnsw")
    await call("points.delete", "shop", range(100, 600))
    assert (await call("vde.compact_collection", "shop")).reclaimed_bytes > 0
    assert await call("vde.get_optimizations", "shop") == []
    assert (await call("vde.evaluate_recall", "shop", using="text", sample=20, k=5)).queries == 20
    assert await call("vde.prewarm", "shop") > 500 * 8 * 4


async def tour_of_snapshots(call: Tour, folder: Path) -> None:
    taken = await call("vde.create_snapshot", "shop", "monday")
    assert await call("vde.list_snapshots", "shop") == [taken]
    file = await call("vde.download_snapshot", "shop", "monday", folder)
    assert file == folder / "monday.snapshot"
    assert (await call("vde.upload_snapshot", file, "elsewhere", "tuesday")).size_bytes == taken.size_bytes
    await call("vde.restore_snapshot", "elsewhere", "tuesday", "restored")
    assert await call("points.count", "restored") == await call("points.count", "shop")
    await call("collections.delete", "restored")
    await call("vde.delete_snapshot", "elsewhere", "tuesday")
    await call("vde.delete_snapshot", "shop", "monday")
    assert await call("vde.list_snapshots") == []


async def tour_of_indexes(call: Tour) -> None:
    index = await call("indexes.create", {"label": "shop", "propertyName": "title", "dimensions": 2})
    vector = {"propertyName": "title", "vector": [1, 2]}
    made = await call("records.create", "shop", {"title": "a"}, vectors=[vector], id="r1")
    await call("records.create_many", "shop", [{"title": "b"}], vectors=[vector], ids=["r2"])
    await call("records.upsert", "shop", {"title": "c"}, id="r2")
    assert await call("records.find", "shop", ids=["r1"]) == [made]
    assert [record.data for record in await call("records.find", "shop", where={"title": "c"})] == [{"title": "c"}]
    assert (await call("indexes.upsert_vectors", index, [("r2", [2, 1])])).updated == 1
    assert (await call("indexes.stats", index)).indexed == 2
    hits = await call("indexes.search", labels="shop", property_name="title", query_vector=[2, 1])
    assert ([hit.id for hit in hits], hits.coverage) == (["r2", "r1"], 1)
    assert (await call("indexes.get", index.id)).status == "ready"
    assert await call("indexes.list", "shop") == [await call("indexes.get", index)]
    with pytest.raises(headwater.InvalidArgumentError, match="external"):
        await call("indexes.rearm", index)
    imported = await call("records.import_json", {"shop": [{"title": "d", "$id": "r3", "$vectors": {"title": [0, 1]}}]})
    assert [record.id for record in imported["shop"]] == ["r3"]
    assert await call("records.delete", "shop", ids=["r1", "r2", "r3"]) == 3
    assert (await call("indexes.delete", index)).id == index.id


async def whole_tour(client: Client | AsyncClient, folder: Path) -> None:
    call = Tour(client)
    parts = (
        tour_of_collections,
        tour_of_writes,
        tour_of_reads,
        tour_of_analyses,
        tour_of_vde,
        tour_of_maintenance,
        tour_of_indexes,
    )
    for part in parts:
        await part(call)
    await tour_of_snapshots(call, folder)
    assert await call("collections.delete", "shop")
    with pytest.raises(headwater.CollectionNotFoundError):
        await call("collections.delete", "shop")
    for namespace in ("collections", "points", "vde", "indexes", "records"):
        methods = {f"{namespace}.{name}" for name in dir(getattr(client, namespace)) if not name.startswith("_")}
        assert methods <= call.called, "the tour leaves out methods"


def test_every_method_blocking(address: str, tmp_path: Path) -> None:
    with Client(address) as client:
        asyncio.run(whole_tour(client, tmp_path))


def test_every_method_awaited(address: str, tmp_path: Path) -> None:
    async def run() -> None:
        async with AsyncClient(address) as client:
            await whole_tour(client, tmp_path)

    asyncio.run(run())


def test_bits_with_a_graph(address: str) -> None:
    """Of a kind and a stored form of their own; what is not a bit is refused by field, written or asked."""
    bits = (RANDOM.random((1200, 40)) < 0.4).astype(np.float32)
    fine = headwater.SearchParams(quantization=headwater.QuantizationSearchParams(oversampling=30))
    with Client(address) as client:
        spaces = {"h": VectorParams(40, Distance.HAMMING, index="hnsw"), "j": VectorParams(40, Distance.JACCARD)}
        info = client.collections.create("bits", spaces)
        assert info.vectors["h"].params.index is headwater.IndexKind.HNSW
        assert info.vectors["j"].params.datatype is headwater.Datatype.BINARY
        client.points.upload_points("bits", [PointStruct(n, {"h": row, "j": row}) for n, row in enumerate(bits)])
        deadline = time.monotonic() + 60
        while client.vde.get_stats("bits").spaces["h"].index != "hnsw":
            assert time.monotonic() < deadline
            time.sleep(0.05)
        stats = client.vde.get_stats("bits").spaces
        assert (stats["h"].datatype, stats["j"].index, stats["j"].datatype) == ("binary", "flat", "float32")
        (hit,) = client.points.search("bits", bits[7], using="h", limit=1, params=fine)
        assert (hit.id, hit.score) == (7, 0)
        near = client.points.search("bits", bits[7], using="h", limit=5, params=fine)
        assert [hit.score for hit in near] == sorted(np.count_nonzero(bits != bits[7], axis=1))[:5]
        similar = client.points.search("bits", bits[7], using="j", limit=1, score_mode=headwater.ScoreMode.SIMILARITY)
        assert [(hit.id, hit.score) for hit in similar] == [(7, 1)]
        for call in (
            lambda: client.points.search("bits", bits[7] * 2, using="h"),
            lambda: client.points.upsert("bits", [PointStruct(1, {"j": bits[7] / 2})]),
        ):
            with pytest.raises(headwater.InvalidArgumentError, match="0 or 1"):
                call()


def test_the_code_of_the_readme_runs(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    blocking, awaited = [text for language, text in fences(README) if language == "python"]
    exec(blocking.replace("localhost:50051", address), {})
    assert capsys.readouterr().out.startswith("1 0.0327")
    program = f"async def run():\n{indent(awaited, '    ')}\n    return hits\nhits = asyncio.run(run())"
    scope: dict[str, Any] = {"AsyncClient": AsyncClient, "asyncio": asyncio}
    exec(program.replace("localhost:50051", address), scope)
    assert [hit.id for hit in scope["hits"]] == [1]


def test_the_readme_names_every_method() -> None:
    for namespace in ("collections", "points", "vde", "indexes", "records"):
        rows = [row for row in README.read_text().splitlines() if row.startswith(f"| `client.{namespace}`")]
        named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
        assert named == {name for name in dir(getattr(Client(), namespace)) if not name.startswith("_")}
