"""docs/explain.md shows what the engine says: its output blocks are recorded by `make goldens`."""

import re
from dataclasses import replace

import numpy as np
import pytest

from planner.engine import Engine
from planner.explain.plan_text import render
from planner.query.filter import Equal, Filter, Range
from planner.query.query import Nearest, Query, QueryVector, Rrf, Stage
from storage.collection import Collection
from storage.database import Database
from tests.conftest import Golden
from tests.planner.explanations import without_times
from tests.support.root import ROOT

DOCUMENT = ROOT / "docs/explain.md"
BLOCK = re.compile(r"(<!-- output: (\w+) -->\n```text\n).*?(```\n)", re.DOTALL)


def near(*values: float) -> Nearest:
    return Nearest(QueryVector(np.array(values, np.float32)))


CHEAP = Filter(must=(Range(path="price", lt=100),))
QUERY = Query(
    root=Stage(
        query=Rrf(),
        prefetch=(
            Stage(query=near(1, 0.2), using="text", filter=CHEAP, limit=3),
            Stage(query=near(0, 0, 1), using="image", limit=4),
        ),
        filter=Filter(must=(Equal("color", "blue"),)),
        limit=2,
    )
)


@pytest.mark.golden
def test_the_document_shows_what_the_engine_says(database: Database, shop: Collection, golden: Golden) -> None:
    engine = Engine(database.collection)
    plan = engine.queries.explain(shop, QUERY).text
    [answer] = engine.queries.query(shop, [replace(QUERY, explain=True)])
    assert answer.explanation is not None
    hits = "\n".join(
        f"{hit.id!r}: " + ", ".join(f"{place.stage} rank {place.rank} score {place.score:.4f}" for place in hit.stages)
        for hit in answer.explanation.hits
    )
    points = engine.queries.explain_points(shop, QUERY, [3, "a-2"]).points
    outputs = {
        "plan": plan,
        "run": render(without_times(answer.explanation.root)),
        "hits": hits,
        "points": "\n\n".join(point.text for point in points),
    }
    text = DOCUMENT.read_text(encoding="utf-8")
    assert {match[2] for match in BLOCK.finditer(text)} == outputs.keys()
    golden(DOCUMENT, BLOCK.sub(lambda match: f"{match[1]}{outputs[match[2]]}\n{match[3]}", text))
