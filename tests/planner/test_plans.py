"""Golden files: a query, its plan, the plan after each rule that changed it, what ran, and the result.

A file in plans/ begins with a sentence and the query as JSON (notation.py), written by hand; the rest is recorded by
`make goldens`. A rule's own file has the rule's name. Steps that change nothing in the text are left out.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from planner.engine import Engine
from planner.execute.local_source import LocalSource
from planner.explain.explanation import explain
from planner.explain.plan_text import render
from planner.optimize.optimizer import RULES, optimize
from planner.plan.builder import build
from planner.plan.nodes import Node, Plan
from storage.budget import UNLIMITED
from storage.collection import Collection
from storage.database import Database
from tests.conftest import Golden
from tests.planner.explanations import without_times
from tests.planner.notation import query_of
from tests.planner.shop import SHOP
from tests.support.no_indexes import no_indexes
from tests.support.oracle import query as oracle

PLANS = Path(__file__).parent / "plans"
FILES = sorted(PLANS.glob("*.txt"))


@pytest.fixture
def engine(database: Database) -> Engine:
    """A new one for each plan: it remembers filters, and makes indexes of what is filtered often."""
    return Engine(database.collection)


@pytest.mark.golden
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_plan(file: Path, engine: Engine, shop: Collection, golden: Golden) -> None:
    head = file.read_text(encoding="utf-8").split("\n--- plan\n")[0].rstrip()
    golden(file, head + "\n" + recorded(head.split("\n--- query\n")[1], engine, shop))


def recorded(text: str, engine: Engine, shop: Collection) -> str:
    query = query_of(text)
    sections: list[tuple[str, str]] = []
    with shop.snapshot() as reader:
        [bound] = engine.queries.bind(shop, reader, [query])
        plan = build(bound)

        def add(title: str, root: Node) -> None:
            changed = Plan(root=root, payload=plan.payload, vectors=plan.vectors)
            text = explain(changed, LocalSource(reader, no_indexes(), UNLIMITED), knows_filters=False).text
            if not sections or sections[-1][1] != text:
                sections.append((title, text))

        add("plan", plan.root)
        optimize(plan, lambda rule, root: add(f"after {rule}", root))
    answer = engine.queries.query(shop, [replace(query, explain=True)])[0]
    expected = [(point_id, float(score)) for point_id, score in oracle.answer(SHOP, query)]
    assert [(hit.id, hit.score) for hit in answer.hits] == expected
    assert answer.explanation is not None
    sections.append(("run", render(without_times(answer.explanation.root))))
    sections.append(("result", "\n".join(f"{hit.id!r:6} {hit.score:.6g}" for hit in answer.hits) or "(nothing)"))
    return "".join(f"--- {title}\n{body}\n" for title, body in sections)


def test_every_rule_has_a_golden_file_that_it_changes() -> None:
    for rule in RULES:
        assert f"\n--- after {rule.__name__}\n" in (PLANS / f"{rule.__name__}.txt").read_text(encoding="utf-8")
        assert rule.__module__ == f"planner.optimize.{rule.__name__}"
