"""The matched parts of texts: which tokens are marked, how texts are cut, and which fragments come back."""

import time
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from planner.query.bm25 import Bm25, Highlighting
from planner.text.analysis import Analyzer
from planner.text.highlights import Highlight, highlights_of
from planner.text.syntax import clauses_of
from planner.text.units import field_clauses
from storage.schema.text_settings import TextSettings, Tokenizer
from tests.planner.text.drawn_texts import PIECES, WORDS

DEFAULT = Highlighting()
ENGLISH = TextSettings(language="english", stemming=True)
LONG = "the quick brown fox jumps over the lazy dog and " * 20 + "a fox meets a Dog here"


def parts(texts: Sequence[str], query: Bm25, wanted: Highlighting, settings: TextSettings = ENGLISH) -> list[Highlight]:
    analyzer = Analyzer(settings)
    return highlights_of("t", texts, field_clauses(clauses_of(query), analyzer), analyzer, wanted)


def marked(text: str, query: Bm25, wanted: Highlighting = DEFAULT, settings: TextSettings = ENGLISH) -> list[str]:
    return [_shown(part) for part in parts([text], query, wanted, settings)]


def _shown(part: Highlight) -> str:
    shown = part.fragment
    for start, end in reversed(part.spans):
        shown = f"{shown[:start]}[{shown[start:end]}]{shown[end:]}"
    return shown


def test_tokens_that_match_are_marked() -> None:
    assert marked("Foxes jumped. A fox!", Bm25(text="fox jumping")) == ["[Foxes] [jumped]. A [fox]!"]
    assert marked("Foxes jumped.", Bm25(text="fox -jumped")) == ["[Foxes] jumped."]
    assert marked("lazy fox, lazy dog", Bm25(text='"lazy dog"')) == ["lazy fox, [lazy] [dog]"]
    assert marked("jumble jump", Bm25(text="jumb", last_as_prefix=True)) == ["[jumble] jump"]
    assert marked("nothing here", Bm25(text="fox")) == []
    prefixes = TextSettings(tokenizer=Tokenizer.PREFIX)
    assert marked("Foxes are foxy", Bm25(text="fox"), settings=prefixes) == ["[Foxes] are [foxy]"]
    assert marked("é fox 東京", Bm25(text="京 fox")) == ["é [fox] 東[京]"]


def test_long_texts_are_cut_between_tokens() -> None:
    found = marked(LONG, Bm25(text="meets fox"), Highlighting(2, 40))
    assert found[-1] == "[fox] [meets] a Dog here"
    assert all(len(fragment) <= 40 + 10 for fragment in found)
    assert len(found) == 2
    assert marked(LONG, Bm25(text="meets"), Highlighting(3, 10)) == ["[meets] a"]
    assert marked(LONG, Bm25(text="meets"), Highlighting(3, 0)) == [LONG.replace("meets", "[meets]")]


def test_a_very_long_text_takes_no_longer_per_token() -> None:
    started = time.process_time()
    found = parts(["fox dog " * 100_000], Bm25(text="fox dog"), Highlighting(3, 150), TextSettings())
    assert [len(part.spans) for part in found][:1] == [37]
    assert time.process_time() - started < 20  # seconds; it was quadratic once, and took minutes


def test_each_string_of_an_array() -> None:
    found = parts(["one fox", "none", "a fox a dog"], Bm25(text="fox dog"), Highlighting(2, 150))
    assert [(part.element, _shown(part)) for part in found] == [(0, "one [fox]"), (2, "a [fox] a [dog]")]
    best = parts(["one fox", "none", "a fox a dog"], Bm25(text="fox dog"), Highlighting(1, 150))
    assert [part.element for part in best] == [2]


@given(
    st.lists(st.sampled_from([*WORDS, "\n", "東", "é"]), max_size=40).map(" ".join),
    st.lists(PIECES, min_size=1, max_size=3).map(" ".join),
    st.integers(1, 5),
    st.sampled_from([0, 10, 20, 1_000]),
)
def test_fragments_are_parts_of_the_text_that_do_not_overlap(
    text: str, query: str, fragments: int, length: int
) -> None:
    found = parts([text], Bm25(text=query), Highlighting(fragments, length), TextSettings())
    assert len(found) <= fragments
    end = 0
    for part in found:
        assert part.offset >= end
        end = part.offset + len(part.fragment)
        assert part.fragment == text[part.offset : end]
        assert part.spans
        assert all(0 <= start < stop <= len(part.fragment) for start, stop in part.spans)
