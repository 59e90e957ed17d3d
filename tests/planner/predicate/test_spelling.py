"""Spelling: what is invisible, that it changes nothing, and where spelled characters were in the text."""

import sys
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from planner.predicate.spelling import spelled, spelled_places, without_invisible
from planner.predicate.words import words_of
from planner.text.tokens import located_tokens, tokens_of
from storage.schema.text_settings import Tokenizer
from tests.support.oracle.words import clean

INVISIBLE = [character for character in map(chr, range(sys.maxunicode)) if unicodedata.category(character) == "Cf"]
HARD = st.text(
    st.characters() | st.sampled_from("aé\u0301\u200d\u00ad\ufe0fﾈﾞﾟ東ㄱㅏ\u1161각ｶ²ﬁ㍿ท\u0e49\u0e33👩🏽\u3099か"),
    max_size=12,
)


def test_all_format_characters_are_invisible_and_nothing_is_spelled_with_one() -> None:
    assert without_invisible("".join(INVISIBLE)) == ""
    assert len(INVISIBLE) > 150
    for character in map(chr, range(sys.maxunicode + 1)):
        text = unicodedata.normalize("NFKC", without_invisible(character))
        assert without_invisible(text) == text


@given(HARD)
def test_spelling_is_final_and_the_oracles(text: str) -> None:
    assert spelled(spelled(text)) == spelled(text)
    if all(unicodedata.category(character) != "Cn" for character in text):
        assert spelled(text) == clean(text)


@given(HARD)
def test_places_of_spelled_characters(text: str) -> None:
    found, starts, ends = spelled_places(text)
    assert found == spelled(text)
    assert len(starts) == len(ends) == len(found)
    assert all(0 <= start < end <= len(text) for start, end in zip(starts, ends, strict=True))
    assert list(starts) == sorted(starts)
    assert list(ends) == sorted(ends)
    for start, end in set(zip(starts, ends, strict=True)):
        piece = "".join(c for c, *place in zip(found, starts, ends, strict=True) if place == [start, end])
        assert spelled(text[start:end]) == piece


@given(st.lists(st.sampled_from([*"ab1 .東京ネ엔ทé👩", *INVISIBLE, "\ufe0f"]), max_size=20).map("".join))
def test_invisible_characters_change_no_word(text: str) -> None:
    assert words_of(text) == words_of(without_invisible(text))
    for tokenizer in (Tokenizer.WORD, Tokenizer.PREFIX):
        tokens = tokens_of(tokenizer)(text)
        assert tokens == tokens_of(tokenizer)(without_invisible(text))
        assert [token for token, *_ in located_tokens(tokenizer, text)] == tokens
