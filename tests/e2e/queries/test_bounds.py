"""What one request may hold, through a real server with small bounds: replies, pages, patterns on long texts."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest

import headwater
from headwater import Client, PointStruct, QueryRequest, VectorParams
from tests.support.server_process import running_server

MOST = 200_000
TEXT = "x" * 10_000
COUNT = 60
SIZE = 512


@pytest.fixture(scope="module")
def bounded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    options = ["--max-reply-bytes", str(MOST)]
    with (
        running_server(tmp_path_factory.mktemp("bounded"), options=options) as address,
        Client(address, retries=0) as client,
    ):
        client.collections.create("texts", VectorParams(2))
        points = [PointStruct(number, [1, number], {"text": f"{number}{TEXT}", "n": 0}) for number in range(COUNT)]
        client.points.upsert("texts", [*points, PointStruct(COUNT, [1, 1], {"text": "y" * 300_000})])
        client.collections.create("wide", VectorParams(SIZE))
        vectors = np.eye(COUNT, SIZE, dtype=np.float32)
        client.points.upsert("wide", [PointStruct(number, vectors[number]) for number in range(COUNT)] * 2)
        yield client


def test_a_reply_that_is_too_large_is_refused(bounded: Client) -> None:
    points = bounded.points
    ids = list(range(COUNT))
    large: list[Callable[[], object]] = [
        lambda: points.get("texts", ids),
        lambda: points.get("texts", [1] * 100),
        lambda: points.get("wide", [1] * 1_000, with_vectors=True),
        lambda: points.query("texts", [1.0, 0.0], limit=COUNT),
        lambda: points.query_batch("texts", [QueryRequest([1.0, 0.0], limit=5)] * 20),
        lambda: points.query_groups("texts", [1.0, 0.0], group_by="text", limit=COUNT),
        lambda: points.query_groups("texts", [1.0, 0.0], group_by="n", group_size=COUNT),
        lambda: points.get("wide", ids * 2, with_vectors=True),
        lambda: points.facet("texts", "text", limit=COUNT),
        lambda: points.aggregate("texts", {"n": "count"}, group_by="text", limit=COUNT),
    ]
    for ask in large:
        with pytest.raises(headwater.ReplyTooLargeError, match="max_reply_bytes allows 200,000") as refused:
            ask()
        assert refused.value.metadata["maximum"] == str(MOST)
        assert int(refused.value.metadata["size"]) > MOST
    assert len(points.get("texts", ids, with_payload=False)) == COUNT
    assert [point.id for point in points.get("texts", [2, 1, 2])] == [2, 1, 2]


def test_pages_of_a_scroll_end_before_they_are_too_large(bounded: Client) -> None:
    page = bounded.points.scroll("texts", limit=COUNT)
    assert 10 < len(page.points) < 20
    assert page.next_offset == len(page.points)
    several = headwater.Field("n").eq(0)
    assert [record.id for record in bounded.points.scroll_all("texts", filter=several)] == list(range(COUNT))
    with pytest.raises(headwater.ReplyTooLargeError):  # one point is too large
        bounded.points.scroll("texts", offset=COUNT)
    wide = list(bounded.points.scroll_all("wide", with_vectors=True))
    assert [record.id for record in wide] == list(range(COUNT))


def test_a_pattern_that_would_take_long_on_a_stored_text_is_refused(bounded: Client) -> None:
    points = bounded.points
    bounded.collections.create("long", VectorParams(2))
    points.upsert("long", [PointStruct(1, [1, 0], {"body": "ab" * 500_000}), PointStruct(2, [0, 1], {"body": "ab"})])
    heavy = headwater.Field("body").regex("[ab]{1000}" * 5 + "c")
    for ask in (
        lambda: points.count("long", filter=heavy),
        lambda: points.scroll("long", filter=heavy, with_payload=False),
        lambda: points.query("long", [1.0, 0.0], filter=heavy),
        lambda: points.delete("long", filter=heavy),
    ):
        with pytest.raises(headwater.PatternTooCostlyError, match="the condition on 'body'") as refused:
            ask()
        assert refused.value.metadata["length"] == "1000000"
    assert points.count("long", filter=headwater.has_id([2]) & heavy) == 0
    assert points.count("long", filter=headwater.Field("body").regex("b$")) == 2
    assert points.count("long") == 2
