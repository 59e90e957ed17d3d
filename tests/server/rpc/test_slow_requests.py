"""What the log says of slow requests: plans without values of users, bounded, in both forms."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from headwater import Client, PointStruct, VectorParams, errors
from planner.explain import ExplainNode
from server.rpc.logs import JsonFormatter, TextFormatter
from server.rpc.slow_requests import MAX_PLAN_CHARACTERS, MAX_PLAN_NODES, Plans
from tests.support.serving import serving

VECTORS = np.random.default_rng(1).standard_normal((50, 4)).astype(np.float32)
SECRET, SECRET_ID = "sesame", "e0a7c1de-5c7c-4b0c-9a53-0c2f7d7d1b11"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A client of a server for which every request is slow, and 40 rows are too many for a search."""
    data = tmp_path_factory.mktemp("slow") / "data"
    with serving(data, slow_ms=1e-6, max_scan=60) as service, Client(service.address) as client:
        client.collections.create("shoes", VectorParams(size=4), text_indexes={"title": {}})
        points = [
            PointStruct(id=row, vector=vector, payload={"word": SECRET, "title": SECRET, "price": row})
            for row, vector in enumerate(VECTORS)
        ]
        client.points.upsert("shoes", points)
        yield client


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.WARNING, "server.requests")
    return caplog


def written(log: pytest.LogCaptureFixture, method: str) -> tuple[str, dict[str, Any]]:
    """The last slow request of a method, as text and as JSON."""
    records = [record for record in log.records if record.__dict__["fields"]["method"].endswith(f"/{method}")]
    line = JsonFormatter().format(records[-1])
    assert "\n" not in line
    return TextFormatter().format(records[-1]), json.loads(line)


def operators(tree: dict[str, Any]) -> list[str]:
    return [tree["operator"], *(name for child in tree.get("children", []) for name in operators(child))]


def test_a_slow_query_is_logged_with_its_plan(client: Client, log: pytest.LogCaptureFixture) -> None:
    client.points.query(
        "shoes",
        prefetch=[
            {"query": VECTORS[0], "filter": f'word == "{SECRET}" and price < 77.125', "limit": 9},
            {"query": {"bm25": {"text": SECRET}}, "limit": 7},
            {"query": VECTORS[1], "filter": {"must": [{"has_id": [SECRET_ID, 1]}]}, "limit": 3},
        ],
        query={"fusion": "rrf"},
        limit=3,
    )
    text, entry = written(log, "Query")
    head, *plan = text.splitlines()
    assert 'slow request method="headwater.v1.Points/Query" collection="shoes"' in head
    assert all(line.startswith("    ") for line in plan)
    assert any("filter: price < ? and word = ?" in line for line in plan)
    assert entry["searches"] == {"matching rows": 2, "inverted index": 1}
    assert entry["rows_scanned"] == 50 + 1
    [root] = entry["plans"]
    assert (operators(root)[0], operators(root).count("rrf"), operators(root).count("search")) == ("fetch", 1, 2)
    for value in (SECRET, SECRET_ID, "77.125", f"{VECTORS[0][0]:.3f}"):
        assert value not in text
        assert value not in json.dumps(entry)


def test_plain_and_batched_queries_have_plans_too(client: Client, log: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        client.points.query("shoes", query=VECTORS[0], limit=2)
        text, entry = written(log, "Query")
        assert "search" in text.splitlines()[-1]
        assert "search" in operators(entry["plans"][0])
    client.points.search_batch("shoes", searches=[{"vector": row, "limit": 2} for row in VECTORS[:20]])
    text, entry = written(log, "SearchBatch")
    assert len(entry["plans"]) == 8
    assert text.endswith("... and 12 more queries")


def test_groups_have_their_plan(client: Client, log: pytest.LogCaptureFixture) -> None:
    client.points.query_groups("shoes", group_by="word", query=VECTORS[0], limit=2)
    _, entry = written(log, "QueryGroups")
    assert "search" in operators(entry["plans"][0])


def test_a_query_that_fails_has_its_plan(client: Client, log: pytest.LogCaptureFixture) -> None:
    client.points.upsert("shoes", [PointStruct(id=100 + row, vector=VECTORS[row]) for row in range(20)])
    with pytest.raises(errors.HeadwaterError):
        client.points.query("shoes", query=VECTORS[0], limit=2)
    _, entry = written(log, "Query")
    assert entry["status"] != "OK"
    assert "search" in operators(entry["plans"][0])
    client.points.delete("shoes", list(range(100, 120)))


def test_other_requests_have_none(client: Client, log: pytest.LogCaptureFixture) -> None:
    client.points.count("shoes")
    text, entry = written(log, "Count")
    assert "plans" not in entry
    assert "\n" not in text


def test_huge_and_forged_plans_are_bounded() -> None:
    name = "x\n2026-01-01T00:00:00Z WARNING server: forged" + 100 * "y"
    leaves = tuple(ExplainNode(operator="search", stage="s", attributes={"using": name}) for _ in range(500))
    plans = Plans([ExplainNode(operator="rrf", stage="root", children=leaves)], 0)
    assert len(plans.text()) < MAX_PLAN_CHARACTERS + 100
    [root] = plans.data()
    assert len(operators(root)) == MAX_PLAN_NODES
    assert root["left_out"] == 500 + 1 - MAX_PLAN_NODES
    record = logging.LogRecord("server", logging.WARNING, __file__, 1, "slow request", (), None)
    record.__dict__["plans"] = plans
    assert all(line.startswith("    ") for line in TextFormatter().format(record).splitlines()[1:])
    assert "\n" not in JsonFormatter().format(record)
