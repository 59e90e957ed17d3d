"""Highlights of large texts: counted against memory and reply, and ended with the budget, within a text."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from planner.analyze import GroupQuery
from planner.engine import Engine
from planner.query.bm25 import Bm25, Highlighting
from planner.query.query import Query, Stage
from planner.text.analysis import Analyzer
from planner.text.highlights import Highlight, highlights_of
from planner.text.syntax import clauses_of
from planner.text.units import field_clauses
from storage.budget import Budget
from storage.collection import Collection
from storage.errors import Cancelled, DeadlineExceeded, ReplyTooLarge, RequestTooLarge
from storage.meter import Meter
from storage.schema import CollectionSchema
from storage.schema.text_settings import TextSettings
from storage.write import Upsert
from tests.support.directories import CODEC
from tests.support.worlds import open_database

ALL = Highlighting(1, 0)
TEXT = "fox " * 50_000


def found(text: str, wanted: Highlighting, budget: Budget, query: str = "fox") -> list[Highlight]:
    analyzer = Analyzer(TextSettings())
    return highlights_of("t", [text], field_clauses(clauses_of(Bm25(text=query)), analyzer), analyzer, wanted, budget)


@pytest.mark.parametrize("text", [TEXT, "é" + TEXT, "狐" * 100_000], ids=["ascii", "accents", "pairs"])
@pytest.mark.parametrize("query", ["fox", '"fox fox fox"'])
def test_a_text_is_left_when_its_caller_is_gone(text: str, query: str) -> None:
    looks = 0

    def is_cancelled() -> bool:
        nonlocal looks
        looks += 1
        return looks > 3

    with pytest.raises(Cancelled):
        found(text, ALL, Budget(is_cancelled=is_cancelled), query)
    with pytest.raises(DeadlineExceeded):
        found(text, ALL, Budget.of_seconds(0.0), query)


def test_memory_of_matches_is_counted_and_let_go() -> None:
    with pytest.raises(RequestTooLarge, match="highlighted"):
        found(TEXT, ALL, Budget(meter=Meter(max_memory=2**20)))
    meter = Meter(max_memory=2**26)
    [part] = found(TEXT, ALL, Budget(meter=meter))
    assert (len(part.spans), meter.memory) == (50_000, 0)
    assert part.reply_bytes > len(TEXT)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[tuple[Engine, Collection]]:
    """Ten points with the same large text, in two groups each."""
    with open_database(tmp_path / "data") as database:
        schema = CollectionSchema(spaces={}, text_indexes={"t": TextSettings()})
        collection = database.create_collection("texts", schema)
        payloads = tuple(CODEC.encode({"t": TEXT, "n": ["a", "b"]}) for _ in range(10))
        collection.write([Upsert(ids=tuple(range(10)), payloads=payloads, vectors={})]).result(timeout=60)
        yield Engine(database.collection), collection


QUERY = Query(root=Stage(query=Bm25(text="fox", highlight=ALL), limit=10), with_payload=None)


def test_highlights_are_counted_in_the_reply(engine: tuple[Engine, Collection]) -> None:
    searches, collection = engine
    [answer] = searches.queries.query(collection, [QUERY])
    whole = sum(part.reply_bytes for hit in answer.hits for part in hit.highlights)
    assert whole > 10 * len(TEXT)
    searches.queries.query(collection, [QUERY], Budget(meter=Meter(max_reply=whole + 10_000)))
    with pytest.raises(ReplyTooLarge):
        searches.queries.query(collection, [QUERY], Budget(meter=Meter(max_reply=whole // 2)))
    with pytest.raises(RequestTooLarge, match="highlight"):
        searches.queries.query(collection, [QUERY], Budget(meter=Meter(max_memory=50_000_000)))


def test_highlights_are_counted_once_for_each_group(engine: tuple[Engine, Collection]) -> None:
    searches, collection = engine
    asked = GroupQuery(query=QUERY, path="n[]", size=10)
    groups = searches.analyses.groups(collection, asked).groups
    whole = sum(part.reply_bytes for group in groups for parts in group.highlights for part in parts)
    assert whole > 20 * len(TEXT)
    searches.analyses.groups(collection, asked, Budget(meter=Meter(max_reply=whole + 10_000)))
    with pytest.raises(ReplyTooLarge):
        searches.analyses.groups(collection, asked, Budget(meter=Meter(max_reply=whole * 3 // 4)))
