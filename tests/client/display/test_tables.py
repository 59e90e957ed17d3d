"""Answers as tables in terminals and notebooks, as dicts, frames and Arrow tables; plans as pictures; odd payloads."""

import importlib.util
import json
import pickle
import sys
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headwater import (
    AbsenceReason,
    AggregateGroup,
    Aggregates,
    ExplainNode,
    Explanation,
    FacetHit,
    Facets,
    FailedCondition,
    Groups,
    Hits,
    MatrixPair,
    MatrixPairs,
    Page,
    PayloadNotAskedFor,
    PointExplanation,
    PointGroup,
    Record,
    RecordList,
    ScoredPoint,
    SparseVector,
    StageOutcome,
)
from headwater._display.tables import HEAD, MAX_WIDTH, TAIL, Table

SHOES = Hits(
    [
        ScoredPoint(1, 0.0328125, {"name": "trail shoe", "price": 120}),
        ScoredPoint("b", 1.5e-9, {"name": "東京\n靴", "tags": ["x", 1]}),
    ],
    seq=4,
    total=31,
)
SCRIPT = "<script>alert('x')</script>"


def test_hits_print_as_a_table() -> None:
    assert (
        str(SHOES)
        == repr(SHOES)
        == """\
2 hits of 31, commit 4
rank  id      score  name        price  tags
   1  1   0.0328125  trail shoe    120
   2  b     1.5e-09  東京\\n靴           ["x", 1]"""
    )


def test_long_tables_show_head_and_tail_with_true_ranks() -> None:
    hits = Hits([ScoredPoint(number, 1.0, {"n": number}) for number in range(1, 1001)])
    lines = str(hits).splitlines()
    assert lines[0] == "1,000 hits"
    assert len(lines) == 2 + HEAD + 1 + TAIL
    assert lines[2 + HEAD] == "…"
    assert lines[-1].split() == ["1000", "1000", "1", "1000"]
    assert "1000" in hits._repr_html_()
    assert hits._repr_html_().count("<tr>") == 1 + HEAD + 1 + TAIL


def test_wide_tables_are_cut_and_say_so() -> None:
    hits = Hits([ScoredPoint(1, 1.0, {f"field {number}": "w" * 500 for number in range(30)})])
    lines = str(hits).splitlines()
    assert max(map(len, lines[1:])) <= MAX_WIDTH
    assert lines[0] == "1 hit (28 more fields not shown)"
    assert "w" * 500 not in hits._repr_html_()


@pytest.mark.parametrize(
    ("table", "lines", "dicts"),
    [
        (Hits([]), ["0 hits"], []),
        (
            RecordList([Record(1, {"a": True}), Record(2)]),
            ["2 points", "id  a", " 1  True", " 2"],
            [{"id": 1, "payload": {"a": True}, "version": 0}, {"id": 2, "version": 0}],
        ),
        (
            Page([Record("a", {})], "b", seq=3),
            ["1 point, commit 3, next_offset='b'", "id", "a"],
            [{"id": "a", "payload": {}, "version": 0}],
        ),
        (
            Groups([PointGroup("x", [ScoredPoint(1, 0.5), ScoredPoint(2, 0.25)], Record("x", {}))]),
            ["1 group", "group  id  score", "x       1    0.5", "x       2   0.25"],
            [
                {
                    "value": "x",
                    "points": [{"id": 1, "score": 0.5, "version": 0}, {"id": 2, "score": 0.25, "version": 0}],
                    "lookup": {"id": "x", "payload": {}, "version": 0},
                }
            ],
        ),
        (
            Facets([FacetHit("x", 3), FacetHit(7, 2)], value_count=9),
            ["2 values of 9", "value  count", "x          3", "7          2"],
            [{"value": "x", "count": 3}, {"value": 7, "count": 2}],
        ),
        (
            Aggregates([AggregateGroup("x", 2, {"sum": 5, "count": 1})], group_count=1),
            ["1 group", "value  count  sum  results.count", "x          2    5              1"],
            [{"value": "x", "count": 2, "results": {"sum": 5, "count": 1}}],
        ),
        (
            MatrixPairs([MatrixPair(1, 2, 0.5)]),
            ["1 pair", "a  b  score", "1  2    0.5"],
            [{"a": 1, "b": 2, "score": 0.5}],
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_other_answers_are_tables_too(table: Table, lines: list[str], dicts: list[Any]) -> None:
    assert str(table).splitlines() == lines
    assert table.to_dicts() == dicts
    assert json.loads(json.dumps(table.to_dicts())) == dicts
    assert lines[0].replace("'", "&#x27;") in table._repr_html_()


def test_dicts_have_vectors_as_lists() -> None:
    vectors = {"": np.ones(2, np.float32), "words": SparseVector([3], [0.5])}
    (row,) = RecordList([Record(1, {"n": 2**63}, vectors)]).to_dicts()
    assert json.loads(json.dumps(row)) == {
        "id": 1,
        "payload": {"n": 2**63},
        "vectors": {"": [1.0, 1.0], "words": {"indices": [3], "values": [0.5]}},
        "version": 0,
    }


def test_arrow_tables_keep_every_value() -> None:
    hits = Hits(
        [
            ScoredPoint(2**64 - 1, 0.5, {"id": "own", "mixed": 1, "big": 2**60 + 1, "plain": 1, "none": None}),
            ScoredPoint(2, 0.25, {"mixed": "one", "big": 0.5, "plain": 0.5}, {"": np.ones(2, np.float32)}),
        ]
    )
    table = hits.to_arrow()
    assert table.to_pydict() == {
        "id": [2**64 - 1, 2],
        "score": [0.5, 0.25],
        "payload.id": ["own", None],
        "mixed": ["1", '"one"'],  # JSON, since no Arrow type has both
        "big": ["1152921504606846977", "0.5"],  # a double would lose the integer
        "plain": [1.0, 0.5],
        "none": [None, None],
        "vector": [None, [1.0, 1.0]],
    }
    assert table.schema.field("id").type == pa.uint64()
    assert table.schema.field("vector").type == pa.list_(pa.float32())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
POINTS = st.builds(
    ScoredPoint,
    st.integers(0, 2**64 - 1) | st.text(min_size=1),
    st.floats(allow_nan=False),
    st.dictionaries(st.text(max_size=4), JSON, max_size=4) | st.just(PayloadNotAskedFor()),
)


@settings(max_examples=25)
@given(points=st.lists(POINTS, max_size=4), times=st.sampled_from([1, 1, 1, 6]))
def test_any_payload_is_shown_and_handed_on(points: list[ScoredPoint], times: int) -> None:
    points = points * times
    hits = Hits(points)
    lines = str(hits).split("\n")
    shown = min(len(points), HEAD + TAIL)
    assert len(lines) == 1 + bool(points) + shown + (len(points) > shown)
    assert all(line.isprintable() for line in lines)
    ElementTree.fromstring(hits._repr_html_())
    assert [row["id"] for row in json.loads(json.dumps(hits.to_dicts()))] == [hit.id for hit in points]
    assert hits.to_arrow().num_rows == len(points)


@pytest.mark.skipif(importlib.util.find_spec("pandas") is None, reason="pandas is not installed")
def test_frames_keep_integers() -> None:
    frame = Hits([ScoredPoint(1, 0.5, {"n": 2**60 + 1}), ScoredPoint(2, 0.25, {})]).to_pandas()
    assert list(frame.columns) == ["id", "score", "n"]
    assert (frame["n"][0], frame["n"].isna().tolist()) == (2**60 + 1, [False, True])
    assert str(frame["id"].dtype) == "int64"


@pytest.mark.parametrize(("method", "library"), [("to_pandas", "pandas"), ("to_arrow", "pyarrow")])
def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch, method: str, library: str) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ImportError, match=f"{method} needs {library}.*pip install {library}"):
        getattr(SHOES, method)()


class Tags(HTMLParser):
    """The names of the elements of a text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.found.add(tag)


def test_what_payloads_hold_is_not_taken_for_html() -> None:
    for table in (
        Hits([ScoredPoint(SCRIPT, 1.0, {SCRIPT: [SCRIPT], "b": SCRIPT + '"onload="x'})]),
        Facets([FacetHit(SCRIPT, 1)]),
    ):
        assert Tags(table._repr_html_()).found == {"div", "table", "thead", "tbody", "tr", "th", "td"}


def node(name: str, *children: ExplainNode, analyzed: bool = True) -> ExplainNode:
    return ExplainNode(
        operator=name,
        stage=f"root of {SCRIPT}",
        attributes={"filter": SCRIPT},
        strategy="exact",
        reason=SCRIPT,
        estimated_rows=10,
        rows_in=20 if analyzed else None,
        rows_out=10 if analyzed else None,
        distance_computations=5 if analyzed else None,
        microseconds=1_500 if analyzed else None,
        children=children,
    )


def test_a_plan_is_a_picture_of_all_its_operators() -> None:
    tree = node("limit", node("rrf", node("search <a>"), node("search <b>")))
    plan = Explanation(tree, "text", (), True, 7, 2_000_000)
    picture = plan._repr_html_()
    assert Tags(picture).found == {"div", "svg", "g", "title", "text", "tspan", "rect", "path"}
    texts = "".join(ElementTree.fromstring(picture).itertext())
    for said in ("limit", "rrf", "search <a>", "search <b>", "10 of 20", "1.5 ms", "commit 7, 2 s in all"):
        assert said in texts
    assert picture.count("<rect") == 8
    assert str(plan) == "text"


def test_a_plan_that_did_not_run_has_no_times_and_a_deep_one_is_drawn_too() -> None:
    tree = node("search", analyzed=False)
    for _ in range(3_000):
        tree = node("limit", tree, analyzed=False)
    picture = Explanation(tree, "", (), False, 7, 0)._repr_html_()
    assert picture.count("<rect") == 3_001
    assert " ms" not in picture


def test_why_a_point_is_missing_is_a_table_in_notebooks() -> None:
    failed = FailedCondition("filter.must[0]", SCRIPT)
    stage = StageOutcome("root", "search", AbsenceReason.Filtered, None, None, 7, (failed,), "text")
    shown = PointExplanation(SCRIPT, True, False, stage.reason, (stage,), f"{SCRIPT} fails", "text")._repr_html_()
    assert Tags(shown).found == {"div", "table", "thead", "tbody", "tr", "th", "td"}
    assert "filter.must[0]" in shown


def test_a_payload_that_was_not_asked_for_says_so() -> None:
    point = ScoredPoint(1, 0.5)
    for copy in (point, pickle.loads(pickle.dumps(point))):
        with pytest.raises(KeyError, match="'name': the payload was not asked for"):
            copy.payload["name"]
        assert (len(copy.payload), bool(copy.payload), copy.payload.get("name")) == (0, False, None)
        assert copy == point != ScoredPoint(1, 0.5, {})
    assert (
        repr(point) == "ScoredPoint(id=1, score=0.5, payload=<not asked for>, vectors=None, version=0, highlights=())"
    )


def test_a_slice_of_an_answer_is_an_answer() -> None:
    points = [ScoredPoint(n, 1.0 / (n + 1), {"n": n}, None, 1) for n in range(5)]
    hits = Hits(points, seq=7, total=9, cursor="c")
    part = hits[1:3]
    assert type(part) is Hits
    assert (part.seq, part.total, part.cursor, part.explanation) == (7, 9, "c", None)
    assert [hit.id for hit in part] == [1, 2]
    assert [row["id"] for row in part.to_dicts()] == [1, 2]
    assert "of 9" in repr(part)
    assert part == points[1:3]
    assert [hit.id for hit in hits[::-2]] == [4, 2, 0]
    assert hits[-1] is points[-1]
    assert len(hits) == 5, "the whole is as it was"
    assert type(hits.copy()) is Hits
    facets = Facets([FacetHit("a", 2), FacetHit("b", 1)], value_count=2)
    assert type(facets[:1]) is Facets
    assert type(RecordList([])[:]) is RecordList
    assert type(pickle.loads(pickle.dumps(part))) is Hits
