"""Answers that are written natively have the bytes of deterministic serialization."""

from collections.abc import Sequence
from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.v1 import points_pb2 as wire
from planner.engine import Hit, HitColumns, QueryAnswer
from planner.execute import StoredValue
from planner.execute.hits import HitTable
from server.convert import reply_of
from server.convert.answers import fill_result
from server.wire.library import library
from storage.schema import PointId
from tests.support.payload_messages import PAYLOADS

pytestmark = pytest.mark.skipif(library() is None, reason="there is no wire library here")

NUMBERS = st.sampled_from([0, 1, 127, 128, 2**32, 2**63, 2**64 - 1]) | st.integers(0, 2**64 - 1)
IDS = NUMBERS | st.text(min_size=1, max_size=300)
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
    table, ends = HitTable(ids, versions, scores, stored), list(accumulate(sizes))
    seq, totals = draw(NUMBERS), st.none() | st.integers(0, 2**40)
    return [
        QueryAnswer(HitColumns(table, end - size, end), seq, draw(totals))
        for size, end in zip(sizes, ends, strict=True)
    ]


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
    plain = HitColumns(HitTable([1], [2], np.ones(1, np.float32), None), 0, 1)
    answers = [QueryAnswer(plain, 7), QueryAnswer([Hit("a", 0.5, 3, b"", vectors)], 7)]
    assert reply_of(wire.PointsQueryBatchResponse(), answers) == batch(answers, 0)
    [one] = wire.PointsSearchResponse.FromString(reply_of(wire.PointsSearchResponse(), answers[1:])).result.points
    assert one.id.key == "a"


def test_an_answer_larger_than_a_thread_keeps_memory_for() -> None:
    ids = [f"{number:0300}" for number in range(1_000)]
    table = HitTable(ids, [1] * 1_000, np.zeros(1_000, np.float32), None)  # type: ignore[arg-type]
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
