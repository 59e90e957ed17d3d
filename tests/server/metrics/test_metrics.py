"""What /metrics of a real server says after requests over both ports."""

import concurrent.futures
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import numpy as np
import pytest

from headwater import Client, PointStruct, VectorParams, errors
from tests.support.connect import ask
from tests.support.documented_metrics import documented_metrics
from tests.support.metrics import Scrape, scrape
from tests.support.serving import Service, serving

ROWS, SIZE = 300, 8
VECTORS = np.random.default_rng(1).standard_normal((ROWS, SIZE)).astype(np.float32)
WAIT_SECONDS = 120.0


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    data = tmp_path_factory.mktemp("watched") / "data"
    with serving(data, http="127.0.0.1:0", metrics_collections=3) as running:
        yield running


@pytest.fixture(scope="module")
def client(watched: Service) -> Iterator[Client]:
    with Client(watched.address) as client:
        client.collections.create("indexed", VectorParams(size=SIZE), optimizers_config={"indexing_threshold": ROWS})
        points = [PointStruct(id=row, vector=VECTORS[row], payload={"even": row % 2 == 0}) for row in range(ROWS)]
        client.points.upsert("indexed", points)
        until(lambda: client.vde.get_stats("indexed").total.indexed_vectors == ROWS)
        yield client


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT_SECONDS
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def asked(service: Service) -> Scrape:
    assert service.http is not None
    return scrape(service.http)


def test_requests_are_counted_by_method_status_and_lane(watched: Service, client: Client) -> None:
    method = {"method": "headwater.v1.Points/Count"}
    before = asked(watched)
    client.points.count("indexed")
    with pytest.raises(errors.CollectionNotFoundError):
        client.points.count("nowhere")
    assert watched.http is not None
    ask(watched.http, "/headwater.v1.Points/Count", b'{"collectionName": "indexed"}')
    after = asked(watched)

    def grown(name: str, **labels: str) -> float:
        return after(name, **labels, **method) - before(name, **labels, **method)

    assert grown("requests_total", status="OK", lane="cheap") == 2
    assert grown("requests_total", status="NOT_FOUND", lane="cheap") == 1
    assert grown("request_seconds_count", lane="cheap") == 3
    assert grown("request_seconds_bucket", le="+Inf") == 3
    assert 0 < grown("request_seconds_sum") < WAIT_SECONDS
    assert grown("request_bytes_total") >= len("indexed") + len("nowhere") + len('{"collectionName": "indexed"}')
    assert grown("reply_bytes_total") > 0
    assert after("lane_started_total", lane="cheap") >= before("lane_started_total", lane="cheap") + 3


def test_requests_that_cannot_be_read_are_counted(watched: Service, client: Client) -> None:
    before = asked(watched)
    with pytest.raises(Exception, match="INVALID_ARGUMENT"):
        watched.channel.unary_unary("/headwater.v1.Points/Count", None, None)(b"\xff\xff")
    after = asked(watched)
    bad = {"method": "headwater.v1.Points/Count", "status": "INVALID_ARGUMENT"}
    assert after("requests_total", **bad) - before("requests_total", **bad) == 1


def test_searches_on_every_road_are_counted(watched: Service, client: Client) -> None:
    """Plain searches, too, which run without an executor: these have no filter, and are of one known shape."""
    before = asked(watched)
    for row in range(20):
        client.points.query("indexed", query=VECTORS[row], limit=3)
    walked = asked(watched)
    assert walked("searches_total", strategy="hnsw") - before("searches_total", strategy="hnsw") == 20
    assert walked("graph_steps_total") - before("graph_steps_total") >= 20 * 100  # walks are 128 wide
    assert walked("rows_scanned_total") == before("rows_scanned_total")
    assert walked("plan_cache_hits_total") - before("plan_cache_hits_total") >= 15
    client.points.search_batch("indexed", searches=[{"vector": vector, "limit": 3} for vector in VECTORS[:7]])
    batch = asked(watched)
    assert batch("searches_total", strategy="hnsw") - walked("searches_total", strategy="hnsw") == 7


def test_scans_filters_and_stages_are_counted(watched: Service, client: Client) -> None:
    before = asked(watched)
    for _ in range(4):
        client.points.query("indexed", query=VECTORS[0], filter="even == true", limit=3)
    filtered = asked(watched)
    assert (
        filtered("searches_total", strategy="matching rows") - before("searches_total", strategy="matching rows") == 4
    )
    assert filtered("rows_scanned_total") - before("rows_scanned_total") == 4 * ROWS / 2
    assert filtered("filter_cache_misses_total") - before("filter_cache_misses_total") == 1
    assert filtered("filter_cache_hits_total") - before("filter_cache_hits_total") == 3
    assert filtered("cache_bytes", cache="filters") > before("cache_bytes", cache="filters")
    assert filtered("cache_bytes", cache="point_ids") > 0
    client.points.query("indexed", query=VECTORS[0], params={"exact": True}, limit=3)
    exact = asked(watched)
    assert exact("searches_total", strategy="exact") - filtered("searches_total", strategy="exact") == 1
    assert exact("rows_scanned_total") - filtered("rows_scanned_total") == ROWS


def test_commits_tasks_and_collections(watched: Service, client: Client) -> None:
    before = asked(watched)
    assert before("collection_points", collection="indexed") == ROWS
    assert before("collection_segments", collection="indexed") == 1
    assert before("ended_tasks_total", phase="done") >= 1
    client.points.upsert("indexed", [PointStruct(id=0, vector=VECTORS[1])])
    after = asked(watched)
    assert after("committed_writes_total") - before("committed_writes_total") == 1
    assert after("commit_seconds_count") - before("commit_seconds_count") == 1
    assert 0 < after("commit_sync_seconds_sum") <= after("commit_seconds_sum")
    assert after("collection_tail_rows", collection="indexed") == 1
    assert after("collection_dead_rows", collection="indexed") == 1
    assert after("collection_vectors", collection="indexed") == ROWS
    assert after("ready") == 1
    assert after("memory_bytes", kind="anonymous") > 2**20


def test_only_some_collections_have_series_of_their_own(watched: Service, client: Client) -> None:
    """A collection that is named `other` has none, so that no name comes twice."""
    for name in ("other", "a", "b", "c", "d"):
        client.collections.create(name, VectorParams(size=2))
        client.points.upsert(name, [PointStruct(id=1, vector=[1.0, 0.0])])
    crowded = asked(watched)
    assert "indexed" in crowded.labels("collection_points", "collection")
    assert len(crowded.labels("collection_points", "collection")) <= 4
    assert crowded("collection_points") == ROWS + 5
    assert crowded("collection_points", collection="other") >= 3
    assert crowded("open_collections") == crowded("collections") == 6
    for name in ("other", "a", "b", "c", "d"):
        client.collections.delete(name)
    assert asked(watched).labels("collection_points", "collection") == {"indexed"}


def test_streams_count_the_bytes_of_all_messages(watched: Service, client: Client) -> None:
    before = asked(watched)
    taken = client.vde.sample_vectors("indexed", 100).vectors
    method = {"method": "headwater.v1.VDE/SampleVectors"}
    until(lambda: asked(watched)("requests_total", status="OK", **method) == 1)
    after = asked(watched)
    assert after("reply_bytes_total", **method) - before("reply_bytes_total", **method) >= len(taken) * SIZE * 4
    assert after("requests_total", lane="stream", **method) == 1


def test_many_ask_at_once_and_counts_add_up(watched: Service, client: Client) -> None:
    method = {"method": "headwater.v1.Points/Get", "status": "OK"}
    before = asked(watched)("requests_total", **method)
    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        work = [threads.submit(client.points.get, "indexed", [1]) for _ in range(100)]
        scrapes = [threads.submit(asked, watched) for _ in range(10)]
        assert all(len(each.result()) == 1 for each in work)
        assert all(each.result()("ready") == 1 for each in scrapes)
    assert asked(watched)("requests_total", **method) - before == 100


def test_the_document_lists_exactly_what_is_exported(watched: Service, client: Client) -> None:
    client.points.query("indexed", query=VECTORS[0])
    documented, exported = documented_metrics(), asked(watched).names()
    assert documented.keys() == exported.keys()
    for name, labels in exported.items():
        assert labels is None or labels == documented[name], name


def test_the_key_is_needed_unless_metrics_are_open(tmp_path: Path) -> None:
    with serving(tmp_path / "closed", http="127.0.0.1:0", api_key="secret") as closed:
        assert closed.http is not None
        with pytest.raises(HTTPError) as refused:
            urlopen(f"http://{closed.http}/metrics", timeout=60)
        assert refused.value.code == 401
        assert b"unauthenticated" in refused.value.read()
        with Client(closed.address) as stranger, pytest.raises(errors.UnauthenticatedError):
            stranger.points.count("any")
        counted = scrape(closed.http, key="secret")
        assert counted("requests_total", status="UNAUTHENTICATED", lane="none") == 1
    with serving(tmp_path / "open", http="127.0.0.1:0", api_key="secret", open_metrics=True) as opened:
        assert opened.http is not None
        assert scrape(opened.http)("ready") == 1
