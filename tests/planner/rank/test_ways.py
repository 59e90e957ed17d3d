"""Every word of a query is bound. A new way to rank is one file (near_number.py) and one line of the table."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from planner.engine import Engine
from planner.errors import InvalidQuery
from planner.query.filter import Filter, HasId
from planner.query.query import Dbsf, Query, Rank, Rrf, Stage
from planner.rank.ranker import Ranker
from planner.rank.searcher import Searcher
from planner.rank.ways import WAYS
from storage.collection import Collection
from storage.database import Database
from storage.schema import CollectionSchema
from storage.write.operations import Upsert
from tests.planner.rank.near_number import NearNumber, bind_near_number
from tests.support.documents import sources
from tests.support.root import ROOT
from tests.support.worlds import CODEC, open_database

COUNT = 8
IDS = (*range(COUNT), "a", "b")


def test_every_word_of_a_query_is_bound_or_is_a_fusion() -> None:
    assert set(WAYS) == set(get_args(Rank)) - {Rrf, Dbsf}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with open_database(tmp_path_factory.mktemp("ways") / "data") as database:
        yield database


@pytest.fixture(scope="module")
def collection(database: Database) -> Collection:
    collection = database.create_collection("c", CollectionSchema(spaces={}))
    payload = CODEC.encode({})
    collection.write([Upsert(ids=IDS, payloads=(payload,) * len(IDS), vectors={})]).result(timeout=30)
    return collection


@pytest.fixture
def engine(database: Database, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """Of an engine with one line more in the table."""
    monkeypatch.setitem(WAYS, NearNumber, bind_near_number)
    return Engine(database.collection)


def near(number: int, **stage: object) -> Stage:
    return Stage(query=NearNumber(number), **stage)  # type: ignore[arg-type]


def answered(engine: Engine, collection: Collection, root: Stage) -> list[tuple[object, float]]:
    [answer] = engine.queries.query(collection, [Query(root=root)])
    return [(hit.id, hit.score) for hit in answer.hits]


def test_a_new_way_is_bound(engine: Engine, collection: Collection) -> None:
    for stage, field in ((near(-1), "query.near_number.number"), (near(1, using="x"), "using")):
        with pytest.raises(InvalidQuery) as caught:
            answered(engine, collection, stage)
        assert caught.value.field == field


def test_a_new_way_ranks(engine: Engine, collection: Collection) -> None:
    def share(steps: int) -> float:
        return float(np.float32(steps) / np.float32(len(IDS)))

    best = [(5, 0.0), (4, share(1)), (6, share(1))]
    even = Filter(must=(HasId((0, 2, 4, 6, "a")),))
    assert answered(engine, collection, near(5, limit=3)) == best
    assert answered(engine, collection, near(5, limit=2, offset=1)) == best[1:]
    assert answered(engine, collection, near(5, limit=9, score_threshold=share(1))) == best
    assert answered(engine, collection, near(5, limit=2, filter=even)) == [(4, share(1)), (6, share(1))]
    again = near(5, limit=9, prefetch=(near(0, limit=3), Stage(query=None, filter=even, limit=9)))
    assert [point_id for point_id, _ in answered(engine, collection, again)] == [4, 6, 2, 1, 0]
    fused = Stage(query=Rrf(), limit=2, prefetch=(near(5, limit=3), near(4, limit=3)))
    assert [point_id for point_id, _ in answered(engine, collection, fused)] == [4, 5]


def test_a_new_way_is_explained(engine: Engine, collection: Collection) -> None:
    query = Query(root=near(5, limit=2))
    assert "near_number number=5 limit=2 [root]" in engine.queries.explain(collection, query).text
    told = engine.queries.explain(collection, query, analyze=True)
    assert f"near_number number=5 limit=2 points={len(IDS)} [root]" in told.text
    places = [[(stage.rank, stage.score) for stage in hit.stages] for hit in told.hits]
    assert places == [[(1, 0.0)], [(2, float(np.float32(0.1)))]]
    texts = [point.stages[0].text for point in engine.queries.explain_points(collection, query, [4, 0, "a"]).points]
    assert texts == [
        "rank 2 of 2 by score 0.1",
        "rank 8 of 8 by score 0.5 is beyond the limit of 2",
        "near_number gives it no rank",
    ]


def test_nobody_asks_of_which_kind_a_way_is() -> None:
    """But its own file, and those of other ways."""
    kinds = {kind.__name__ for kind in _below(Ranker)} - {Ranker.__name__, Searcher.__name__}
    asking = {
        str(path)
        for path in sources("planner", "server")
        if path.parent != Path("planner/rank")
        for name in _kinds_asked_for((ROOT / path).read_text(encoding="utf-8"))
        if name in kinds
    }
    assert {"InDense", "ByText", "AtRandom"} < kinds
    assert asking == set()
    assert set(_kinds_asked_for("match a:\n case B(c=D()):\n  isinstance(a, e.F | G)")) == {"B", "D", "F", "G", "e"}


def _below(kind: type[Any]) -> Iterator[type[Any]]:
    children: list[type[Any]] = kind.__subclasses__()
    for child in children:
        yield child
        yield from _below(child)


def _kinds_asked_for(source: str) -> Iterator[str]:
    """The last names of the classes in `case C()` and `isinstance(x, C)`."""
    for node in ast.walk(ast.parse(source)):
        asked: list[ast.AST] = [node.cls] if isinstance(node, ast.MatchClass) else []
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "isinstance":
            asked = [*ast.walk(node.args[1])]
        for name in asked:
            if isinstance(name, ast.Attribute | ast.Name):
                yield name.attr if isinstance(name, ast.Attribute) else name.id
