"""Words of filters: texts of all scripts pass `text` and `phrase` as the oracle says, by a scan and by an index."""

import time

from hypothesis import example, given
from hypothesis import strategies as st

from planner.payload_index.distinct_values import DistinctValues
from planner.payload_index.value_tests import ValueTests
from planner.predicate.strings import compile_string_test
from planner.predicate.words import has_phrase, keys_of, words_of
from planner.query.filter import TextOperator, TextTest
from storage.budget import UNLIMITED
from tests.support.oracle import operators

PIECES = st.sampled_from(
    [
        *"ab1_東京都ネ엔진",
        " ",
        " ",
        "-",
        "ที่",
        "ti",
        "\u00ad",
        "\u200d",
        "\ufe0f",
        "é",
        "e\u0301",
        "ﾈ",
        "ﾞ",
        "²",
        "ß",
        "🍕",
        "❤",
    ]
)
TEXTS = st.lists(PIECES, max_size=12).map("".join)


@given(
    st.lists(TEXTS, min_size=1, max_size=6, unique=True),
    TEXTS,
    st.sampled_from([TextOperator.TEXT, TextOperator.PHRASE]),
)
@example(["東京 都", "東京都", "東 京都"], "東京 都", TextOperator.PHRASE)
@example(["東京a東京b", "東京b"], "東京b", TextOperator.PHRASE)
def test_scan_index_and_oracle_agree(texts: list[str], asked: str, operator: TextOperator) -> None:
    if not words_of(asked):
        return
    condition = TextTest("t", operator, asked)
    expected = [operators.passes(condition, text) for text in texts]
    assert list(map(compile_string_test(condition), texts)) == expected
    values = DistinctValues()
    for text in texts:
        values.add(text)
    assert ValueTests(values, len(texts)).passing(condition, UNLIMITED).tolist() == expected


def test_keys_of_a_run() -> None:
    assert list(keys_of("東京都 a")) == ["東京", "京都", "都", "a", "東", "京"]
    assert list(keys_of("big fox big")) == ["big", "fox"]


def test_a_long_phrase_in_a_long_text_takes_no_longer_per_word() -> None:
    for asked, text in (("a " * 2_000 + "b", "a " * 300_000), ("あ" * 4_000 + "い", "あ" * 300_000)):
        started = time.process_time()
        assert not has_phrase(asked)(text)
        assert time.process_time() - started < 20  # seconds; a phrase compared at every word takes minutes
