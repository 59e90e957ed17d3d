"""How texts become terms: tokens of every kind, and each step from token to term; the syntax of queries."""

import itertools
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.predicate.spelling import spelled, without_invisible
from planner.query.bm25 import Bm25
from planner.text import tokens
from planner.text.analysis import Analyzer, Dropped, fold_ascii
from planner.text.syntax import Clause, Occur, clauses_of
from planner.text.units import FieldClause, LeftOut, Phrase, Prefix, Term, field_clauses
from storage.errors import EngineError, InvalidRequest, LimitExceeded, NotFinite
from storage.schema.text_settings import LANGUAGES, STOP_WORD_LANGUAGES, TextSettings, Tokenizer, check_text_settings
from tests.support.oracle.text import words
from tests.support.oracle.words import is_unspaced

WORDS = [
    ("The quick brown fox can't jump 32.3 feet, right?", "The quick brown fox can't jump 32.3 feet right"),
    ("self-evident a_b __x__ _ 1,000.5;3 U.S.A. 3a a..b 'a'", "self evident a_b __x__ 1,000.5;3 U.S.A 3a a b a"),
    ("Ünïcode naïve café don’t", "Ünïcode naïve café don’t"),
    ("東京都 ひら カ", "東京 京都 都 ひら ら カ"),
    ("엔진입니다 한글15개", "엔진 진입 입니 니다 다 한글 글 15 개"),
    ("ที่นี่ ๑๒", "ที ี่ ่น นี ี่ ่ ๑๒"),
    ("ﾈｯﾄで iPhone15を", "ネッ ット トで で iPhone15 を"),
    ("ジョン・スミス 3月 ㍿", "ジョ ョン ン スミ ミス ス 3 月 株式 式会 会社 社"),
    ("👩\u200d👩\u200d👧 🇩🇪🇫🇷 👍🏽 ❤\ufe0f x", "👩 👩 👧 🇩🇪 🇫🇷 👍🏽 ❤ x"),
    ('שלום צה"ל हिन्दी', 'שלום צה"ל हिन्दी'),
    ("½ ² Ⅳ © m²", "1\u20442 2 IV © m2"),
    ("soft\u00adware \ufefffoo\u200b e\u00ad\u0301", "software foo é"),
    ("", ""),
    (" \t\n-!?", ""),
]


@pytest.mark.parametrize(("text", "expected"), WORDS)
def test_words(text: str, expected: str) -> None:
    assert tokens.tokens_of(Tokenizer.WORD)(text) == expected.split()


def test_other_tokenizers() -> None:
    assert tokens.tokens_of(Tokenizer.WHITESPACE)(" a-b,\u3000c\n") == ["a-b,", "c"]
    assert tokens.tokens_of(Tokenizer.PRE_TOKENIZED)("a b ") == ["a b "]
    assert tokens.tokens_of(Tokenizer.PRE_TOKENIZED)("") == []


@given(st.text(alphabet="ab1_.:',;- \"é2東ネ엔ท\u00ad\u200d²ﾈ"))
def test_words_are_the_oracles(text: str) -> None:
    found = [
        [word[place : place + 2] for place in range(len(word))] if is_unspaced(word[0]) else [word]
        for word in words(text)
    ]
    assert tokens.tokens_of(Tokenizer.WORD)(text) == list(itertools.chain(*found))


@given(st.text(alphabet=string.printable))
def test_ascii_has_a_short_way_with_the_same_words(text: str) -> None:
    found = tokens.tokens_of(Tokenizer.WORD)(text)
    assert [token for token, _, _ in tokens.located_tokens(Tokenizer.WORD, text)] == found
    assert tokens.tokens_of(Tokenizer.WORD)(text + " é") == [*found, "é"]


@given(st.text(), st.sampled_from(Tokenizer))
def test_tokens_are_where_they_say(text: str, tokenizer: Tokenizer) -> None:
    located = list(tokens.located_tokens(tokenizer, text))
    assert [token for token, _, _ in located] == tokens.tokens_of(tokenizer)(text)
    assert all(start < end and spelled(token)[:1] in spelled(text[start:end]) for token, start, end in located)
    assert all(before[1] <= after[1] and before[2] <= after[2] for before, after in itertools.pairwise(located))


def terms(text: str, **settings: object) -> list[str | None]:
    analyzer = Analyzer(TextSettings(**settings))  # type: ignore[arg-type]
    return [analyzer.term(token) for token in analyzer.tokens(text)]


def test_steps_from_token_to_term() -> None:
    assert terms("The Fox") == ["the", "fox"]
    assert terms("The Fox", lowercase=False) == ["The", "Fox"]
    assert terms("The Fox", language="english", remove_stop_words=True) == [None, "fox"]
    assert terms("The Fox", lowercase=False, language="english", remove_stop_words=True) == [None, "Fox"]
    assert terms("The Fox", stop_words=("FOX",)) == ["the", None]
    assert terms("jumping Jumps jumped", language="english", stemming=True) == ["jump"] * 3
    assert terms("Häuser aß", language="german", stemming=True, ascii_folding=True) == ["haus", "ass"]
    assert terms("a ab abc", min_token_length=2, max_token_length=2) == [None, "ab", None]
    assert terms("é éa", min_token_length=2, max_token_length=2) == ["é", None]
    assert terms("x" * 254 + " " + "x" * 255) == ["x" * 254, None]
    assert terms("ж" * 127 + " " + "ж" * 128) == ["ж" * 127, None]
    assert terms("İ", max_token_length=2) == [None]  # two bytes, of which lower case makes three
    assert terms("ﬁne Ｆｕｌｌ é e\u0301") == ["fine", "full", "é", "é"]


def test_prefixes_of_words() -> None:
    analyzer = Analyzer(TextSettings(tokenizer=Tokenizer.PREFIX, min_token_length=2, max_token_length=4))
    assert analyzer.terms("Hello") == ("he", "hel", "hell")
    assert [analyzer.term(token) for token in ("Hello", "he", "h")] == ["hell", "he", None]
    named = Analyzer(TextSettings(tokenizer=Tokenizer.PREFIX, max_token_length=4, stop_words=("hello",)))
    assert (named.terms("Hello"), named.term("hello"), named.term("hell")) == ((), None, "hell")


@pytest.mark.parametrize(
    ("text", "folded"), [("Élan Straße Øl œuf Ł", "Elan Strasse Ol oeuf L"), ("हिन्दी 東", "हिन्दी 東")]
)
def test_folding_to_ascii(text: str, folded: str) -> None:
    assert fold_ascii(text) == folded


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_every_language_has_stems(language: str) -> None:
    assert Analyzer(TextSettings(language=language, stemming=True)).term("abc")


@pytest.mark.parametrize("language", sorted(STOP_WORD_LANGUAGES))
def test_stop_words_of_every_language(language: str) -> None:
    common = {"english": "the", "finnish": "ja", "hungarian": "egy", "russian": "и"}
    nordic = {"danish": "og", "norwegian": "og", "swedish": "och", "dutch": "het", "german": "und"}
    word = {**common, **nordic}.get(language, "que" if language in ("french", "spanish", "portuguese") else "che")
    analyzer = Analyzer(TextSettings(language=language, remove_stop_words=True))
    assert analyzer.term(word.upper()) is None
    assert analyzer.term("computer") == "computer"


REFUSED: list[tuple[dict[str, object], type[EngineError], str]] = [
    ({"stemming": True}, InvalidRequest, "p.stemming"),
    ({"remove_stop_words": True}, InvalidRequest, "p.remove_stop_words"),
    ({"language": "klingon"}, InvalidRequest, "p.language"),
    ({"language": "turkish", "remove_stop_words": True}, InvalidRequest, "p.remove_stop_words"),
    ({"language": "english", "stemming": True, "lowercase": False}, InvalidRequest, "p.stemming"),
    ({"language": "english", "stemming": True, "tokenizer": Tokenizer.PREFIX}, InvalidRequest, "p.stemming"),
    ({"stop_words": tuple(map(str, range(10_001)))}, LimitExceeded, "p.stop_words"),
    ({"max_token_length": 0}, InvalidRequest, "p.max_token_length"),
    ({"max_token_length": 255}, InvalidRequest, "p.max_token_length"),
    ({"min_token_length": 0}, InvalidRequest, "p.min_token_length"),
    ({"min_token_length": 40, "max_token_length": 39}, InvalidRequest, "p.min_token_length"),
    ({"k1": -0.1}, InvalidRequest, "p.k1"),
    ({"k1": float("nan")}, NotFinite, "p.k1"),
    ({"b": 1.01}, InvalidRequest, "p.b"),
    ({"k3": float("inf")}, NotFinite, "p.k3"),
]


@pytest.mark.parametrize(("settings", "kind", "field"), REFUSED)
def test_settings_that_are_refused(settings: dict[str, object], kind: type[EngineError], field: str) -> None:
    with pytest.raises(kind) as caught:
        check_text_settings(TextSettings(**settings), "p")  # type: ignore[arg-type]
    assert isinstance(caught.value, InvalidRequest)
    assert caught.value.field == field


@pytest.mark.parametrize(
    "settings",
    [
        TextSettings(),
        TextSettings(tokenizer=Tokenizer.PREFIX, stop_words=("a", "é"), k1=0.0, b=0.0, k3=0.0, ascii_folding=True),
        TextSettings(language="english", stemming=True, remove_stop_words=True, max_token_length=254),
    ],
)
def test_settings_on_disk(settings: TextSettings) -> None:
    check_text_settings(settings, "p")
    assert TextSettings.from_json(settings.to_json(), "it") == settings


def test_settings_from_before_keep_their_bound() -> None:
    """What was stored names every setting."""
    stored = {**TextSettings().to_json(), "max_token_length": 39}
    assert TextSettings.from_json(stored, "it").max_token_length == 39
    assert TextSettings().max_token_length == 254


OPTIONAL, R, X = Occur.OPTIONAL, Occur.REQUIRED, Occur.EXCLUDED
SYNTAX = [
    ("fox  dog", [Clause("fox"), Clause("dog")]),
    ('+fox -"lazy dog"', [Clause("fox", R, is_phrase=True), Clause("lazy dog", X, is_phrase=True)]),
    ('a"b c"d', [Clause("a"), Clause("b c", is_phrase=True), Clause("d")]),
    ('"never closed', [Clause("never"), Clause("closed")]),
    ("“curly ones”", [Clause("curly ones", is_phrase=True)]),
    ("a - b +", [Clause("a"), Clause("-"), Clause("b"), Clause("+")]),
    ("well-known +state-of-the-art", [Clause("well-known"), Clause("state-of-the-art", R, is_phrase=True)]),
    ('" "', [Clause(" ", is_phrase=True)]),
    ('"', []),
]


@pytest.mark.parametrize(("text", "clauses"), SYNTAX)
def test_syntax(text: str, clauses: list[Clause]) -> None:
    assert list(clauses_of(Bm25(text=text))) == clauses


def test_what_changes_the_syntax() -> None:
    assert clauses_of(Bm25(text='-a "b"', plain=True)) == (Clause("-a"), Clause('"b"'))
    assert clauses_of(Bm25(text=("-a", '"b c"'))) == (Clause("-a", is_token=True), Clause('"b c"', is_token=True))
    assert clauses_of(Bm25(text="a -b", all_terms=True)) == (Clause("a", R), Clause("b", X, is_phrase=True))
    assert clauses_of(Bm25(text="a b", last_as_prefix=True)) == (Clause("a"), Clause("b", is_prefix=True))
    assert clauses_of(Bm25(text='a "b"', last_as_prefix=True)) == (Clause("a"), Clause("b", is_phrase=True))


THE = (LeftOut("the", Dropped.STOP_WORD),)


def units(text: str, **given: object) -> tuple[FieldClause, ...]:
    analyzer = Analyzer(TextSettings(language="english", stemming=True, remove_stop_words=True))
    return field_clauses(clauses_of(Bm25(text=text, **given)), analyzer)  # type: ignore[arg-type]


def test_units_of_a_field() -> None:
    assert units('"jumping over the dog" wi-fi the') == (
        FieldClause(OPTIONAL, (Phrase(("jump", "over", "dog"), (0, 1, 3)),), THE),
        FieldClause(OPTIONAL, (Term("wi"), Term("fi"))),
        FieldClause(OPTIONAL, (), THE),
    )
    assert units('+wi-fi "the dog" the jumping', last_as_prefix=True)[0].units == (Phrase(("wi", "fi"), (0, 1)),)
    assert units('"the dog" jumping', last_as_prefix=True) == (
        FieldClause(OPTIONAL, (Term("dog"),), THE),
        FieldClause(OPTIONAL, (Prefix("jumping"),)),
    )


def clause(text: str, settings: TextSettings, **given: object) -> FieldClause:
    (found,) = field_clauses(clauses_of(Bm25(text=text, **given)), Analyzer(settings))  # type: ignore[arg-type]
    return found


LONG = "x" * 255


@pytest.mark.parametrize(
    ("text", "occur", "units", "is_impossible"),
    [
        (LONG, OPTIONAL, (), False),
        (f"+{LONG}", R, (), True),
        (f"-{LONG}", X, (), True),
        (f"a-{LONG}", OPTIONAL, (Term("a"),), False),
        (f"+a-{LONG}", R, (), True),
        (f'"a {LONG}"', OPTIONAL, (), True),
        (f'-"a {LONG}"', X, (), True),
    ],
)
def test_what_is_too_long_is_not_ignored(
    text: str, occur: Occur, units: tuple[object, ...], is_impossible: bool
) -> None:
    left_out = (LeftOut(LONG, Dropped.TOO_LONG),)
    assert clause(text, TextSettings()) == FieldClause(occur, units, left_out, is_impossible)  # type: ignore[arg-type]


def test_other_words_that_are_not_searched_for() -> None:
    short = TextSettings(min_token_length=2)
    assert clause("+c", short) == FieldClause(R, (), (LeftOut("c", Dropped.TOO_SHORT),), is_impossible=True)
    assert clause("c", short, all_terms=True).is_impossible
    assert clause("+...", short) == FieldClause(R, (), (LeftOut("...", Dropped.NO_WORD),))
    english = TextSettings(language="english", remove_stop_words=True)
    assert clause("+the", english) == FieldClause(R, (), THE)
    assert not clause("+the", english).is_condition
    assert clause('-"the dog"', english) == FieldClause(X, (Term("dog"),), THE)
    assert clause(LONG, TextSettings(), last_as_prefix=True).left_out == (LeftOut(LONG, Dropped.TOO_LONG),)
    prefixes = TextSettings(tokenizer=Tokenizer.PREFIX, max_token_length=3)
    assert clause("+abcd", prefixes) == FieldClause(R, (Term("abc"),), (LeftOut("abcd", None),))
    assert clause("abcd", prefixes, last_as_prefix=True) == FieldClause(
        OPTIONAL, (Prefix("abc"),), (LeftOut("abcd", None),)
    )


def test_runs_of_scripts_without_spaces() -> None:
    settings = TextSettings()
    assert clause("東京都", settings).units == (Term("東京"), Term("京都"))
    assert clause("東", settings).units == (Term("東"),)
    assert clause("+東京都", settings).units == (Phrase(("東京", "京都"), (0, 1)),)
    assert clause("a東京都b", settings, all_terms=True).units == (
        Term("a"),
        Phrase(("東京", "京都"), (0, 1)),
        Term("b"),
    )
    assert clause('"東京 タワー"', settings).units == (Phrase(("東京", "タワ", "ワー"), (0, 2, 3)),)
    assert clause("東京都", settings, last_as_prefix=True).units == (Term("東京"), Prefix("京都"))
    (given,) = field_clauses(clauses_of(Bm25(text=("東京都",))), Analyzer(settings))
    assert given.units == (Phrase(("東京", "京都"), (0, 1)),)
    assert Analyzer(settings).terms("東京") == ("東京", "東")
    assert Analyzer(TextSettings(tokenizer=Tokenizer.PREFIX)).terms("東京") == ("東", "東京")
    assert Analyzer(TextSettings(tokenizer=Tokenizer.WHITESPACE)).terms("東京") == ("東京",)


@given(st.text())
def test_every_text_is_a_query(text: str) -> None:
    for clause in clauses_of(Bm25(text=text, last_as_prefix=True)):
        assert clause.text in without_invisible(text)
        field_clauses([clause], Analyzer(TextSettings()))
