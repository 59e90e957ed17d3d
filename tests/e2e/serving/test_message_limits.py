"""A caller says how large a message it takes: pages are shorter, and what cannot be shorter is refused."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from http.client import HTTPConnection
from typing import Any

import grpc
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater import Client, PointStruct, VectorParams
from headwater.v1 import points_pb2, points_pb2_grpc, vde_pb2, vde_pb2_grpc
from tests.support.messages import nearest, point_id
from tests.support.server_process import running_servers
from tests.support.serving import failure_of

KEY = "headwater-max-message-bytes"
LARGE = 30
"""The point with a payload of 5,000 bytes."""


class Caller:
    """Raw stubs, whose messages are as long as the server sends them."""

    def __init__(self, channel: grpc.Channel) -> None:
        self.points: Any = points_pb2_grpc.PointsStub(channel)
        self.vde: Any = vde_pb2_grpc.VDEStub(channel)

    def pages(self, most: int, limit: int, **selectors: Any) -> Iterator[points_pb2.PointsScrollResponse]:
        request = points_pb2.PointsScrollRequest(collection_name="c", limit=limit, **selectors)
        while True:
            page = self.points.Scroll(request, metadata=[(KEY, str(most))])
            yield page
            if not page.HasField("next_offset"):
                return
            request.offset.CopyFrom(page.next_offset)


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    with running_servers(tmp_path_factory.mktemp("limits") / "data") as (address, http):
        with Client(address) as client:
            client.collections.create("c", VectorParams(4))
            sizes = [5_000 if number == LARGE else 13 * number for number in range(60)]
            texts = [{"text": "é" * (size // 2), "n": [number, None, 0.5]} for number, size in enumerate(sizes)]
            ids = [number if number % 2 else f"key {number}" * 20 for number in range(60)]
            vectors = np.eye(60, 4, dtype=np.float32) + 1
            client.points.upsert("c", [PointStruct(*each) for each in zip(ids, vectors, texts, strict=True)])
        yield address, http


@pytest.fixture(scope="module")
def caller(addresses: tuple[str, str]) -> Iterator[Caller]:
    with grpc.insecure_channel(addresses[0]) as channel:
        yield Caller(channel)


@given(most=st.integers(5_400, 40_000), limit=st.integers(1, 60), vectors=st.booleans())
def test_pages_fit_and_together_have_every_point_once(caller: Caller, most: int, limit: int, vectors: bool) -> None:
    pages = list(caller.pages(most, limit, with_vectors={"enable": vectors}))
    assert all(page.ByteSize() <= most and page.points for page in pages)
    whole = caller.points.Scroll(points_pb2.PointsScrollRequest(collection_name="c", limit=60)).points
    assert [point.id for page in pages for point in page.points] == [point.id for point in whole]


def test_pages_of_a_cursor(caller: Caller) -> None:
    request = points_pb2.PointsScrollRequest(collection_name="c", limit=60, cursor_ttl_seconds=60)
    found = []
    while True:
        page = caller.points.Scroll(request, metadata=[(KEY, "6000")])
        assert page.ByteSize() <= 6_000
        found += page.points
        if not page.HasField("cursor"):
            break
        request = points_pb2.PointsScrollRequest(collection_name="c", limit=60, cursor=page.cursor)
        request.offset.CopyFrom(page.next_offset)
    assert len(found) == 60


def test_what_cannot_be_shorter_is_refused(caller: Caller) -> None:
    ids = [point_id(number) for number in range(1, 60, 2)]
    query = points_pb2.PointsQueryRequest(collection_name="c", query=nearest([1.0, 1, 1, 1]), limit=60)
    several = points_pb2.PointsQueryBatchRequest(collection_name="c", queries=[query] * 2)
    asked: list[tuple[Callable[..., Any], Any]] = [
        (caller.points.Get, points_pb2.PointsGetRequest(collection_name="c", ids=ids)),
        (caller.points.Query, query),
        (caller.points.QueryBatch, several),
        (caller.points.Scroll, points_pb2.PointsScrollRequest(collection_name="c", limit=1, offset=point_id(999))),
    ]
    for call, request in asked[:3]:
        size = len(call(request).SerializeToString())
        for most in (1, 50, size - 1):
            failure = failure_of(lambda: call(request, metadata=[(KEY, str(most))]))  # noqa: B023
            assert (failure.code, failure.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "REPLY_TOO_LARGE")
            assert failure.metadata["maximum"] == str(most)
            assert most < int(failure.metadata["size"]) <= size
            assert KEY in failure.message
        assert call(request, metadata=[(KEY, str(size))]).ByteSize() == size
    assert asked[3][0](asked[3][1], metadata=[(KEY, "10000")]).points


def test_a_point_that_is_too_large_is_refused(caller: Caller) -> None:
    failure = failure_of(lambda: list(caller.pages(4_000, 60)))
    assert (failure.reason, failure.metadata["maximum"]) == ("REPLY_TOO_LARGE", "4000")


def test_streams(caller: Caller) -> None:
    request = vde_pb2.VDESampleVectorsRequest(collection_name="c", using="", count=60)
    parts = list(caller.vde.SampleVectors(request, metadata=[(KEY, "1000")]))
    assert all(part.ByteSize() <= 1_000 for part in parts)
    assert len(parts) > 3
    assert sum(len(part.ids) for part in parts) == 60


@pytest.mark.parametrize("value", ["0", "-1", "4MB", "", "1e6", "9" * 20])
def test_a_limit_that_is_none(caller: Caller, value: str) -> None:
    count = points_pb2.PointsCountRequest(collection_name="c")
    failure = failure_of(lambda: caller.points.Count(count, metadata=[(KEY, value)]))
    assert (failure.code, failure.fields) == (grpc.StatusCode.INVALID_ARGUMENT, [KEY])


@pytest.mark.parametrize("value", [str(2**62), "0" * 10 + "10000000"])
def test_a_large_limit(caller: Caller, value: str) -> None:
    count = points_pb2.PointsCountRequest(collection_name="c")
    assert caller.points.Count(count, metadata=[(KEY, value)]).count == 60


def test_over_http(addresses: tuple[str, str]) -> None:
    connection = HTTPConnection(addresses[1], timeout=30)
    with closing(connection):
        _check_over_http(connection)


def _check_over_http(connection: HTTPConnection) -> None:
    for most, code in (("1000000", None), ("300", "resource_exhausted"), ("none", "invalid_argument")):
        headers = {"content-type": "application/json", KEY: most}
        body = json.dumps({"collectionName": "c", "ids": [{"number": 1}, {"number": 29}]})
        connection.request("POST", "/headwater.v1.Points/Get", body, headers)
        answer = json.loads(connection.getresponse().read())
        assert answer.get("code") == code, answer
