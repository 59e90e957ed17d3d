"""Queries by BM25 equal the oracle's in points, order and scores, at every commit, however the index came to be."""

import itertools
from collections.abc import Iterator, Mapping

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from planner.engine import Engine, QueryAnswer
from planner.query.bm25 import Bm25, Combine
from planner.query.filter import Filter, HasId
from planner.query.query import Query, Stage
from storage.collection import Collection
from storage.database import Database
from storage.schema import CollectionSchema, PointId
from storage.schema.text_settings import TextSettings, Tokenizer
from storage.write.operations import ByIds, DeletePoints, Operation, Upsert
from tests.planner.text.drawn_texts import PIECES, WORDS, Held
from tests.support.ids import id_order
from tests.support.oracle import text as oracle_text
from tests.support.worlds import CODEC, open_database

TEXTS = st.lists(st.sampled_from([*WORDS, ",", "-", '"']), max_size=8).map(" ".join)
VALUES = st.one_of(TEXTS, TEXTS, st.lists(TEXTS | st.just(3), max_size=3), st.just(7), st.none())
PAYLOADS = st.dictionaries(st.sampled_from(["t", "u"]), VALUES)
IDS: st.SearchStrategy[PointId] = st.one_of(st.integers(0, 12), st.sampled_from(["p", "q"]))
CHANGES = st.dictionaries(IDS, PAYLOADS | st.none(), max_size=5)
"""New payloads by id; None deletes."""

SETTINGS = st.builds(
    TextSettings,
    tokenizer=st.sampled_from([Tokenizer.WORD, Tokenizer.WORD, Tokenizer.WHITESPACE, Tokenizer.PREFIX]),
    lowercase=st.booleans(),
    stop_words=st.sampled_from([(), ("it",), ("a", "fox", "京")]),
    min_token_length=st.sampled_from([1, 1, 2]),
    max_token_length=st.sampled_from([254, 2, 6]),
    k1=st.sampled_from([1.2, 0.0, 2.0]),
    b=st.sampled_from([0.75, 0.0, 1.0]),
    k3=st.sampled_from([8.0, 0.0]),
)
QUERIES = st.builds(
    Bm25,
    text=st.one_of(
        st.lists(PIECES, min_size=1, max_size=4).map(" ".join),
        st.lists(st.sampled_from(WORDS), min_size=1, max_size=5).map(tuple),
    ),
    fields=st.sampled_from([(), (("t", 1.0),), (("u", 2.0), ("t", 0.5))]),
    combine=st.sampled_from(Combine),
    all_terms=st.booleans(),
    last_as_prefix=st.booleans(),
    plain=st.booleans(),
)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with open_database(tmp_path_factory.mktemp("texts") / "data") as database:
        yield database


_names = (f"texts {number}" for number in itertools.count())


def _write(collection: Collection, changes: Mapping[PointId, dict[str, object] | None]) -> None:
    kept = {point_id: payload for point_id, payload in changes.items() if payload is not None}
    gone = tuple(point_id for point_id, payload in changes.items() if payload is None)
    operations: list[Operation] = [DeletePoints(selector=ByIds(gone))]
    if kept:
        payloads = tuple(CODEC.encode(payload) for payload in kept.values())
        operations.append(Upsert(ids=tuple(kept), payloads=payloads, vectors={}))
    collection.write(operations).result(timeout=30)


def _expected(
    held: Mapping[PointId, Held], indexes: Mapping[str, TextSettings], query: Bm25, allowed: set[PointId] | None
) -> list[tuple[PointId, float]]:
    found = oracle_text.scores(held, indexes, query)
    kept = [(key, float(score)) for key, score in found.items() if allowed is None or key in allowed]
    return sorted(kept, key=lambda hit: (-hit[1], id_order(hit[0])))


def _found(answer: QueryAnswer) -> list[tuple[PointId, float]]:
    return [(hit.id, hit.score) for hit in answer.hits]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    one=SETTINGS,
    other=SETTINGS,
    first=st.dictionaries(IDS, PAYLOADS, max_size=15),
    steps=st.lists(st.tuples(CHANGES, st.lists(QUERIES, min_size=1, max_size=3)), min_size=1, max_size=5),
    allowed=st.none() | st.sets(IDS),
    limit=st.sampled_from([1, 3, 100]),
)
def test_hits_order_and_scores_are_the_oracles(
    database: Database,
    one: TextSettings,
    other: TextSettings,
    first: dict[PointId, dict[str, object]],
    steps: list[tuple[dict[PointId, dict[str, object] | None], list[Bm25]]],
    allowed: set[PointId] | None,
    limit: int,
) -> None:
    indexes = {"t": one, "u": other}
    collection = database.create_collection(next(_names), CollectionSchema(spaces={}, text_indexes=indexes))
    engine = Engine(database.collection)
    filter = None if allowed is None else Filter(must=(HasId(tuple(allowed)),))
    held: dict[PointId, Held] = {}
    start: tuple[dict[PointId, dict[str, object] | None], list[Bm25]] = ({**first}, [])
    for changes, queries in [start, *steps]:
        _write(collection, changes)
        held.update({key: Held(payload) for key, payload in changes.items() if payload is not None})
        held = {key: point for key, point in held.items() if changes.get(key, point) is not None}
        batch = [Query(root=Stage(query=query, filter=filter, limit=limit)) for query in queries]
        if not batch:
            continue
        answers = engine.queries.query(collection, batch)
        for query, answer in zip(queries, answers, strict=True):
            assert _found(answer) == _expected(held, indexes, query, allowed)[:limit]
        fresh = Engine(database.collection).queries.query(collection, batch)
        assert list(map(_found, fresh)) == list(map(_found, answers))
    database.delete_collection(collection.name)
