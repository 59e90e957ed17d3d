"""The tables of docs/text_search.md, each row a test: of queries by BM25, filters, highlights, and the oracles."""

import json
from collections.abc import Iterator

import pytest

from planner.engine import Engine
from planner.payload_index.distinct_values import DistinctValues
from planner.payload_index.value_tests import ValueTests
from planner.predicate.conditions import compile_condition
from planner.query.bm25 import Bm25, Highlighting
from planner.query.filter import TextOperator, TextTest
from planner.query.query import Query, Stage
from planner.rank.by_text import ByText
from planner.text.analysis import Analyzer
from planner.text.highlights import highlights_of
from planner.text.scoring import SearchedField
from planner.text.syntax import clauses_of
from planner.text.units import field_clauses
from storage.budget import UNLIMITED
from storage.database import Database
from storage.schema import CollectionSchema
from storage.schema.text_settings import TextSettings
from storage.write.operations import Upsert
from tests.planner.text.drawn_texts import Held
from tests.support.document_tables import Row, code, table
from tests.support.oracle import operators
from tests.support.oracle import text as oracle_text
from tests.support.root import ROOT
from tests.support.worlds import CODEC, open_database

DOCUMENT = ROOT / "docs" / "text_search.md"
NARROW = TextSettings(stop_words=("the",), min_token_length=2, max_token_length=8)
SCRIPTS = table(DOCUMENT, "Scripts")[1:]
LEFT_OUT = table(DOCUMENT, "Words that are not searched for")[1:]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with open_database(tmp_path_factory.mktemp("texts") / "data") as database:
        yield database


def found(database: Database, text: str, query: Bm25, settings: TextSettings) -> str:
    """What a search says. The oracle has to agree."""
    schema = CollectionSchema(spaces={}, text_indexes={"t": settings})
    collection = database.create_collection("texts", schema)
    payload: dict[str, object] = {"t": text}
    collection.write([Upsert(ids=(1,), payloads=(CODEC.encode(payload),), vectors={})]).result(timeout=60)
    (answer,) = Engine(database.collection).queries.query(collection, [Query(root=Stage(query=query))])
    database.delete_collection(collection.name)
    expected = oracle_text.scores({1: Held(payload)}, {"t": settings}, query)
    assert [hit.id for hit in answer.hits] == list(expected), "planner and oracle disagree"
    return "yes" if answer.hits else "no"


def test_the_tables_are_found() -> None:
    assert (len(SCRIPTS), len(LEFT_OUT)) == (35, 15)


@pytest.mark.parametrize("row", SCRIPTS, ids=lambda row: f"{row[0]} {row[1]}")
def test_scripts(database: Database, row: Row) -> None:
    asked, text = (json.loads(code(cell)[0]) for cell in row[:2])
    query = Bm25(text=f"+{asked}")
    assert found(database, text, query, TextSettings()) == row[2]
    assert filtered(TextOperator.TEXT, asked, text) == row[3]
    assert filtered(TextOperator.PHRASE, asked, text) == row[3]
    assert marked(text, query) == (json.loads(code(row[4])[0]) if row[4] else None)


def filtered(operator: TextOperator, asked: str, text: str) -> str:
    """What a filter says, by a scan and by an index. The oracle has to agree."""
    condition = TextTest("t", operator, asked)
    holds = compile_condition(condition)({"t": text})
    values = DistinctValues()
    values.add(text)
    assert ValueTests(values, 1).passing(condition, UNLIMITED).tolist() == [holds]
    assert operators.passes(condition, text) is holds, "planner and oracle disagree"
    return "yes" if holds else "no"


def marked(text: str, query: Bm25) -> str | None:
    analyzer = Analyzer(TextSettings())
    clauses = field_clauses(clauses_of(query), analyzer)
    for part in highlights_of("t", [text], clauses, analyzer, Highlighting(1, 0)):
        shown = part.fragment
        for start, end in reversed(part.spans):
            shown = f"{shown[:start]}[{shown[start:end]}]{shown[end:]}"
        return shown
    return None


@pytest.mark.parametrize("row", LEFT_OUT, ids=lambda row: row[0])
def test_words_that_are_not_searched_for(database: Database, row: Row) -> None:
    query = Bm25(text=code(row[0])[0])
    assert found(database, "big fox", query, NARROW) == {"found": "yes", "not found": "no"}[row[1]]
    described = ByText.of(query, (SearchedField("t", 1.0, NARROW),)).describe()
    assert described.get("left out of t") == (code(row[2])[0] if row[2] else None)
