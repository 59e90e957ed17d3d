"""Answers that are written natively have the bytes of deterministic serialization."""

from collections.abc import Sequence
from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from headwater.v1 import points_pb2 as wire
from headwater.v1.common_pb2 import PointId as PointIdMessage
from headwater.v1.payload_pb2 import Payload, Value
from planner.engine import Hit, HitColumns, QueryAnswer
from planner.execute import FetchedColumns, StoredValue
from planner.execute.hits import HitTable
from server.convert import points_reply_of, reply_of
from server.convert.answers import fill_points, fill_result
from server.wire import write_points
from server.wire.library import library
from storage.schema import PointId
from storage.tables import RecordColumns, columns_of, encode_id, encode_record
from tests.support.payload_messages import PAYLOADS

pytestmark = pytest.mark.skipif(library() is None, reason="there is no wire library here")

NUMBERS = st.sampled_from([0, 1, 127, 128, 2**32, 2**63, 2**64 - 1]) | st.integers(0, 2**64 - 1)
IDS = NUMBERS | st.text(min_size=1, max_size=300)
PAYLOAD = Payload(fields={"text": Value(string_value="t" * 500)}).SerializeToString()
SCORES = st.sampled_from([0.0, -0.0, 1.0, float("inf")]) | st.floats(width=32, allow_nan=False)


@st.composite
def answers(draw: st.DrawFn) -> list[QueryAnswer]:
    """Answers of one request."""
    sizes = draw(st.lists(st.integers(0, 4), min_size=1, max_size=4))
    count = sum(sizes)
    ids: list[PointId] = draw(st.lists(draw(st.sampled_from([NUMBERS, IDS])), min_size=count, max_size=count))
    versions = draw(st.lists(NUMBERS, min_size=count, max_size=count))
    scores = np.array(draw(st.lists(SCORES, min_size=count, max_size=count)), np.float32)
    payloads = draw(st.none() | st.lists(PAYLOADS, min_size=count, max_size=count))
    stored = None if payloads is None else [each.SerializeToString(deterministic=True) for each in payloads]
    table, ends = table_of(ids, versions, scores, stored), list(accumulate(sizes))
    seq, totals = draw(NUMBERS), st.none() | st.integers(0, 2**40)
    return [
        QueryAnswer(HitColumns(table, end - size, end), seq, draw(totals))
        for size, end in zip(sizes, ends, strict=True)
    ]


def table_of(
    ids: Sequence[PointId], versions: Sequence[int], scores: NDArray[np.float32], payloads: Sequence[bytes] | None
) -> HitTable:
    return HitTable(columns_of_points(ids, versions, payloads), scores, payloads is not None)


def columns_of_points(
    ids: Sequence[PointId], versions: Sequence[int], payloads: Sequence[bytes] | None
) -> RecordColumns:
    about = zip(map(encode_id, ids), versions, payloads or [b"not asked for"] * len(ids), strict=True)
    records = [encode_record(*each) for each in about]
    return columns_of(records, list(map(len, records)))


def batch(answers: Sequence[QueryAnswer], microseconds: int) -> bytes:
    message = wire.PointsQueryBatchResponse(microseconds=microseconds)
    for answer in answers:
        fill_result(message.results.add(), answer)
    return message.SerializeToString(deterministic=True)


@given(answers(), st.sampled_from([0, 1, 10**9]))
def test_the_bytes_of_protobuf(answers: list[QueryAnswer], microseconds: int) -> None:
    response = wire.PointsQueryBatchResponse(microseconds=microseconds)
    assert reply_of(response, answers) == batch(answers, microseconds)
    assert not response.results, "no message was made"


@given(answers())
def test_columns_are_hits(answers: list[QueryAnswer]) -> None:
    for answer in answers:
        hits = list(answer.hits)
        assert len(hits) == len(answer.hits)
        assert all(isinstance(hit, Hit) for hit in hits)
        assert answer.hits == hits
        assert answer.hits[1:] == hits[1:]
        assert repr(answer.hits) == repr(hits)


def test_other_answers_become_messages() -> None:
    vectors: dict[str, StoredValue] = {"": np.ones(2, np.float32)}
    plain = HitColumns(table_of([1], [2], np.ones(1, np.float32), None), 0, 1)
    answers = [QueryAnswer(plain, 7), QueryAnswer([Hit("a", 0.5, 3, b"", vectors)], 7)]
    assert reply_of(wire.PointsQueryBatchResponse(), answers) == batch(answers, 0)
    [one] = wire.PointsSearchResponse.FromString(reply_of(wire.PointsSearchResponse(), answers[1:])).result.points
    assert one.id.key == "a"


def test_an_answer_larger_than_a_thread_keeps_memory_for() -> None:
    ids = [f"{number:0300}" for number in range(1_000)]
    table = table_of(ids, [1] * 1_000, np.zeros(1_000, np.float32), None)
    answers = [QueryAnswer(HitColumns(table, 0, 1_000), 7)]
    assert reply_of(wire.PointsQueryBatchResponse(), answers) == batch(answers, 0)


@pytest.mark.parametrize(
    "response",
    [
        wire.PointsSearchResponse,
        wire.PointsQueryResponse,
        wire.PointsSearchBatchResponse,
        wire.PointsQueryBatchResponse,
    ],
)
def test_answers_are_the_first_field_of_replies(response: type[wire.PointsQueryResponse]) -> None:
    assert min(field.number for field in response.DESCRIPTOR.fields) == 1
    assert response.DESCRIPTOR.fields_by_number[1].name in ("result", "results")


@st.composite
def points(draw: st.DrawFn) -> FetchedColumns:
    """Points that were read, some of them twice."""
    ids: list[PointId] = draw(st.lists(IDS, max_size=5))
    versions = draw(st.lists(NUMBERS, min_size=len(ids), max_size=len(ids)))
    payloads = draw(st.none() | st.lists(PAYLOADS, min_size=len(ids), max_size=len(ids)))
    stored = None if payloads is None else [each.SerializeToString(deterministic=True) for each in payloads]
    columns = columns_of_points(ids, versions, stored)
    if ids:
        columns = columns.take(np.array(draw(st.lists(st.integers(0, len(ids) - 1), max_size=8)), np.int64))
    return FetchedColumns(columns.first(draw(st.integers(0, 8))), stored is not None)


RESPONSES = st.builds(wire.PointsScrollResponse, seq=NUMBERS, cursor=st.none() | st.just("cursor")) | st.builds(
    wire.PointsGetResponse, missing_ids=st.lists(st.builds(PointIdMessage, number=NUMBERS), max_size=2)
)


@given(points(), RESPONSES)
def test_points_have_the_bytes_of_protobuf(
    points: FetchedColumns, response: wire.PointsGetResponse | wire.PointsScrollResponse
) -> None:
    expected = type(response).FromString(response.SerializeToString())
    fill_points(expected.points, points)
    assert points_reply_of(response, points) == expected.SerializeToString(deterministic=True)
    assert not response.points, "no message was made"
    assert points_reply_of(response, list(points)) == expected.SerializeToString(deterministic=True)


def test_points_larger_than_a_thread_keeps_memory_for() -> None:
    columns = columns_of_points(["a", 1], [1, 2], [PAYLOAD] * 2).take(np.array([0, 1] * 400))
    points = FetchedColumns(columns, True)
    found = wire.PointsGetResponse.FromString(points_reply_of(wire.PointsGetResponse(), points))
    assert [each.id.key or each.id.number for each in found.points] == ["a", 1] * 400
    assert {each.payload.SerializeToString() for each in found.points} == {PAYLOAD}


def test_places_outside_of_records_are_refused() -> None:
    sound = columns_of_points(["ab"], [1], [b"payload"])
    assert write_points(sound, 1, with_payloads=True) is not None
    for row, place in ((2, -1), (2, 10**6), (3, -1), (3, 0), (3, 10**6), (4, 0), (4, len(sound.records) + 1)):
        places = sound.places.copy()
        places[row] = place
        assert write_points(RecordColumns(sound.records, places), 1, with_payloads=True) is None
    assert write_points(sound, 16, with_payloads=True) is None


@pytest.mark.parametrize("response", [wire.PointsGetResponse, wire.PointsScrollResponse])
def test_points_are_the_first_field_of_replies(response: type[wire.PointsGetResponse]) -> None:
    assert min(field.number for field in response.DESCRIPTOR.fields) == response.POINTS_FIELD_NUMBER
