"""Requests that are read as known are answered and refused like those that protobuf reads, whatever their bytes are."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from google.protobuf.message import DecodeError, Message
from hypothesis import example, given
from hypothesis import strategies as st

from headwater.v1 import points_pb2 as wire
from server.convert import KnownRequest, KnownRequests
from server.lanes import kind_of, kind_of_points, points_of
from server.wire import size_of
from server.wire.library import MAX_CUT, library
from tests.support.shaped_requests import Fixture, Outcome, alike, outcome_of, search
from tests.support.worlds import open_database

pytestmark = pytest.mark.skipif(library() is None, reason="there is no wire library here")

METHODS = {
    wire.PointsSearchRequest: "headwater.v1.Points/Search",
    wire.PointsQueryRequest: "headwater.v1.Points/Query",
    wire.PointsSearchBatchRequest: "headwater.v1.Points/SearchBatch",
    wire.PointsQueryBatchRequest: "headwater.v1.Points/QueryBatch",
}


@pytest.fixture(scope="module")
def fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fixture]:
    with open_database(tmp_path_factory.mktemp("known") / "data") as database:
        yield Fixture(database)


def answered(fixture: Fixture, request_type: type[Any], request: object) -> Outcome | str:
    return outcome_of(fixture.knowing, request, request_type)


def check(fixture: Fixture, known: KnownRequests, request_type: type[Any], raw: bytes) -> object:
    """Reads `raw` in both ways and compares the outcomes. Returns what was read."""
    try:
        expected = request_type.FromString(raw)
    except DecodeError:
        with pytest.raises(DecodeError):
            known.readers[request_type](raw)
        return None
    read = known.readers[request_type](raw)
    if isinstance(read, KnownRequest):
        size, method = len(raw), METHODS[request_type]
        assert size_of(read) == size
        assert read.collection_name == expected.collection_name
        assert kind_of_points(read.points, size) is kind_of(method, expected, size)
    else:
        assert read == expected
    assert answered(fixture, request_type, read) == answered(fixture, request_type, expected)
    return read


@pytest.mark.slow
@given(st.data())
def test_queries(fixture: Fixture, data: st.DataObject) -> None:
    known = KnownRequests(points_of)
    for request in alike(fixture.world, data):
        for _ in range(3):
            check(fixture, known, wire.PointsQueryRequest, request.SerializeToString())


@pytest.mark.slow
@given(st.data())
def test_batches(fixture: Fixture, data: st.DataObject) -> None:
    known = KnownRequests(points_of)
    requests = alike(fixture.world, data) + alike(fixture.world, data)
    batch = wire.PointsQueryBatchRequest(collection_name="world", queries=requests)
    for _ in range(3):
        check(fixture, known, wire.PointsQueryBatchRequest, batch.SerializeToString())


def splice(data: st.DataObject, raw: bytes, other: bytes) -> bytes:
    """The bytes, changed: one set, some left out, some of another request put in, or fields given twice."""
    at, to = sorted(data.draw(st.integers(0, len(raw))) for _ in "12")
    match data.draw(st.sampled_from(["set", "cut", "insert", "append", "unknown"])):
        case "set":
            return raw[:at] + bytes([data.draw(st.integers(0, 255))]) + raw[at + 1 :]
        case "cut":
            return raw[:at] + raw[to:]
        case "insert":
            return raw[:at] + other + raw[at:]
        case "append":
            return raw + other
        case _:
            return raw + bytes.fromhex("fa01016b")  # field 31, which there is not


@pytest.mark.slow
@given(st.data())
def test_changed_bytes(fixture: Fixture, data: st.DataObject) -> None:
    """What was learned of sound requests does not mislead about others, nor the other way round."""
    known = KnownRequests(points_of)
    first, *others = [request.SerializeToString() for request in alike(fixture.world, data)]
    for raw in (first, first, *others):
        check(fixture, known, wire.PointsQueryRequest, raw)
    changed = splice(data, first, others[0])
    for raw in (changed, changed, changed, first, splice(data, changed, first)):
        check(fixture, known, wire.PointsQueryRequest, raw)


def learned(known: KnownRequests, request: Message) -> object:
    """What is read at the third time."""
    read = known.readers[type(request)]
    for _ in range(2):
        assert not isinstance(read(request.SerializeToString()), KnownRequest)
    return read(request.SerializeToString())


def test_a_request_is_known_at_the_third_time(fixture: Fixture) -> None:
    known = KnownRequests(points_of)
    assert isinstance(learned(known, search([1, 2, 3], using="dot")), KnownRequest)
    other = check(fixture, known, wire.PointsSearchRequest, search([3, 2, 1], using="dot").SerializeToString())
    assert isinstance(other, KnownRequest)


def test_requests_of_a_known_layout(fixture: Fixture) -> None:
    """As long as one that is known, and alike around its vector; or nearly so."""
    known = KnownRequests(points_of)
    learned(known, search([1, 2, 3], using="dot"))
    [layout] = known._kinds[wire.PointsSearchRequest]._layouts.values()
    usual = search([1, 2, 3], using="dot").SerializeToString()
    assert len(layout.head) + 12 + len(layout.tail) == len(usual)
    for at in range(len(usual)):
        for byte in (0, usual[at] ^ 1, usual[at] ^ 0x80, 255):
            check(fixture, known, wire.PointsSearchRequest, usual[:at] + bytes([byte]) + usual[at + 1 :])
    check(fixture, known, wire.PointsSearchRequest, usual[:-1])
    for using in ("euclid", "dot"):
        check(fixture, known, wire.PointsSearchRequest, search([3, 2, 1], using=using).SerializeToString())


@pytest.mark.parametrize("values", [[], [1, 2], [1, 2, 3, 4], [1, float("nan"), 1], [0, 0, 0]])
@pytest.mark.parametrize("using", ["dot", "euclid", "nowhere"])
def test_bad_vectors_of_a_known_request(fixture: Fixture, values: Sequence[float], using: str) -> None:
    known = KnownRequests(points_of)
    learned(known, search([1, 2, 3], using=using))
    check(fixture, known, wire.PointsSearchRequest, search(values, using=using).SerializeToString())


def test_batches_of_searches(fixture: Fixture) -> None:
    known = KnownRequests(points_of)
    one, two = search([1, 2, 3], using="dot"), search([3, 2, 1], using="dot", limit=1)
    elsewhere = search([3, 2, 1], using="dot")
    elsewhere.collection_name = "elsewhere"
    for searches in ([one, two], [two, one, one], [one] * 256, [one] * 257, [one, elsewhere], []):
        raw = wire.PointsSearchBatchRequest(collection_name="world", searches=searches).SerializeToString()
        for _ in range(3):
            check(fixture, known, wire.PointsSearchBatchRequest, raw)
    assert isinstance(learned(KnownRequests(points_of), wire.PointsSearchBatchRequest(searches=[one])), KnownRequest)


def test_unusual_bytes(fixture: Fixture) -> None:
    """Vectors in several pieces, not packed, or given twice; other orders of fields; numbers in longer forms."""
    known = KnownRequests(points_of)
    usual = search([1, 2, 3], using="dot").SerializeToString()
    learned(known, wire.PointsSearchRequest.FromString(usual))
    values = bytes.fromhex("0a0c0000803f0000004000004040")
    pieces = bytes.fromhex("0a040000803f0a080000004000004040")
    loose = bytes.fromhex("0d0000803f0d000000400d00004040")
    longer = bytes.fromhex("0a8c000000803f0000004000004040")
    for inner in (values, pieces, loose, longer, values + values, b"", bytes.fromhex("0a00")):
        vector = wire.PointsSearchRequest(collection_name="world", using="dot").SerializeToString()
        for wrap in (1, 1, 2):  # DenseVector in Vector in VectorInput in the request
            inner = bytes([wrap << 3 | 2, len(inner)]) + inner
        for raw in (vector + inner, inner + vector, inner + vector + inner, vector + inner + vector):
            for _ in range(3):
                check(fixture, known, wire.PointsSearchRequest, raw)


@given(st.binary(max_size=60))
@example(bytes.fromhex("0b0c"))
@example(bytes([0x1A, 0x80, 0x80, 0x80, 0x80, 0x08]))
def test_any_bytes(fixture: Fixture, raw: bytes) -> None:
    known = KnownRequests(points_of)
    for request_type in METHODS:
        for _ in range(3):
            check(fixture, known, request_type, raw)


def test_more_than_the_pass_has_room_for(fixture: Fixture) -> None:
    known, reader = KnownRequests(points_of), wire.PointsQueryRequest(collection_name="world", using="dot")
    for _ in range(MAX_CUT + 1):
        reader.query.recommend.positive.add().vector.dense.values.extend([1, 2, 3])
    deep = wire.PointsQueryRequest(collection_name="world")
    stage: Any = deep
    for _ in range(90):
        stage = stage.prefetch.add()
    long = search([1, 2, 3], using="dot" * 10_000)
    for request in (reader, deep, long):
        for _ in range(3):
            assert not isinstance(check(fixture, known, type(request), request.SerializeToString()), KnownRequest)
