"""Indexes without the wire: what counts as text, names of spaces, and how dicts become filters."""

import json
import unicodedata

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from planner.analyze.vector_coverage import has_text
from planner.query.filter import TextTest
from server.indexes.texts import text_of
from server.services.index_policies import space_name
from storage.schema import MAX_NAME_BYTES, CollectionSchema, DenseSpace, Distance, check_space_name
from storage.schema.index_policy import IndexPolicy, IndexSource, ReadyPolicy


def pattern() -> str:
    [test] = has_text("a").must
    assert isinstance(test, TextTest)
    return test.operand


def test_the_filter_and_the_reader_of_texts_agree_on_white_space() -> None:
    """What is counted must be what is embedded, for every character."""
    compiled = re2.compile(pattern())
    characters = [chr(code) for code in range(0x11000) if unicodedata.category(chr(code)) != "Cs"]
    disagreed = [each for each in characters if bool(compiled.search(each)) != (text_of([each]) is not None)]
    assert disagreed == []


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([], None),
        (["a"], "a"),
        (["  a b\n"], "a b"),
        ([["a", 5, None, "b", ["c"]]], "a b"),
        (["a", "b"], "a b"),
        ([5], None),
        ([None, True, {"a": "b"}], None),
        (["x" * 70_000], "x" * 65_536),
        (["é" * 40_000], "é" * 32_768),
        (["€" * 40_000], "€" * 21_845),
    ],
)
def test_the_text_of_a_property(values: list[object], text: str | None) -> None:
    assert text_of(values) == text


@given(st.text(min_size=1, max_size=300), st.sampled_from(IndexSource), st.integers(1, 65_536))
def test_the_name_of_a_space_may_always_be_one(path: str, source: IndexSource, size: int) -> None:
    policy = IndexPolicy(property=path, source=source)
    name = space_name(DenseSpace(size=size, distance=Distance.EUCLID, policy=policy))
    check_space_name(f"{name}-999", "name")
    assert len(f"{name}-999".encode()) <= MAX_NAME_BYTES


def test_policies_are_kept_with_their_space() -> None:
    policy = IndexPolicy(
        property="a.b", source=IndexSource.MANAGED, ready=ReadyPolicy.FULL_COVERAGE, seq=7, next_slot=9
    )
    schema = CollectionSchema(spaces={"a": DenseSpace(size=3, embedder="e", policy=policy), "b": DenseSpace(size=2)})
    assert CollectionSchema.from_json(json.loads(json.dumps(schema.to_json()))) == schema
