"""Rules one by one: what each does, and that it returns the same object when it does nothing. The optimizer ends."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from hypothesis import given

from planner.optimize import optimizer
from planner.optimize.drop_empty import drop_empty
from planner.optimize.normalise_filter import normalise_filter, simplify
from planner.optimize.order_conditions import order_conditions
from planner.optimize.push_down_filter import push_down_filter
from planner.optimize.push_limit import push_limit
from planner.plan.nodes import (
    Diversify,
    Empty,
    FuseRanks,
    FuseScores,
    Gate,
    Limit,
    Node,
    Plan,
    Rerank,
    Restrict,
    Scan,
    Search,
    Threshold,
)
from planner.predicate.contradictions import matches_nothing
from planner.query.filter import (
    AnyOf,
    Condition,
    Equal,
    Filter,
    HasId,
    IsNull,
    MinShould,
    Nested,
    Range,
    TextOperator,
    TextTest,
    ValuesCount,
)
from planner.query.query import QueryVector, SearchParams
from planner.rank.by_dense_vector import InDense
from planner.rank.by_multi_vector import InMulti
from planner.resolve.filters import CheckedFilter, derived_filter
from storage.schema import Distance
from storage.search.multi import MultiQuery
from storage.vectors.multi import MultiVector
from tests.support.oracle import query as oracle
from tests.support.strategies import FILTERS, random_world

A, B, C = Equal("a", 1), Equal("b", 1), IsNull("c")


def made(
    must: tuple[Condition, ...] = (), should: tuple[Condition, ...] = (), must_not: tuple[Condition, ...] = ()
) -> CheckedFilter:
    """A filter of these clauses."""
    return derived_filter(Filter(must=must, should=should, must_not=must_not))


NEVER = made(must=(HasId(()),))
NEAR = InDense("", Distance.DOT, QueryVector(np.ones(2, np.float32)), SearchParams())
EMPTY = Empty(stage="root")
WORLD = random_world(5)


def search(filter: CheckedFilter | None = None) -> Search:
    return Search(stage="root", ranker=NEAR, filter=filter, limit=3)


def fused(*children: Node) -> FuseRanks:
    return FuseRanks(stage="root", k=60, weights=(1.0,) * len(children), children=children)


def test_push_down_filter_reaches_every_leaf_through_gates_and_fusions() -> None:
    inner, outer = made(must=(A,)), made(should=(B, C))
    gate = Gate(stage="root", filter=inner, child=search())
    plan = Restrict(stage="root", filter=outer, child=fused(search(inner), Scan(stage="root", limit=3), gate))
    both = made(must=(outer, inner))
    pushed = Gate(stage="root", filter=inner, child=search(outer))
    assert push_down_filter(plan) == fused(search(both), Scan(stage="root", limit=3, filter=outer), pushed)


def test_nested_restrictions_keep_each_filter_whole() -> None:
    one, other = made(should=(A,)), made(should=(B,))
    plan = Restrict(stage="root", filter=one, child=Restrict(stage="root", filter=other, child=search()))
    assert push_down_filter(plan) == search(made(must=(one, other)))


@pytest.mark.parametrize(
    ("filter", "simple"),
    [
        (Filter(must=(Filter(),)), Filter()),
        (Filter(must=(Filter(must=(A, Filter(must=(B,)))),)), Filter(must=(A, B))),
        (Filter(must=(A, A)), Filter(must=(A,))),
        (Filter(should=(A, Filter(should=(B, C)))), Filter(should=(A, B, C))),
        (Filter(should=(A, Filter())), Filter()),
        (Filter(should=(A,)), Filter(must=(A,))),
        (Filter(must_not=(Filter(should=(A, B)),)), Filter(must_not=(A, B))),
        (Filter(must_not=(Filter(must=(A,)),)), Filter(must_not=(A,))),
        (Filter(must=(Filter(must_not=(A,)),)), Filter(must_not=(A,))),
        (Filter(min_should=MinShould((A, B), 2)), Filter(must=(A, B))),
        (Filter(min_should=MinShould((Filter(), A, B), 2)), Filter(min_should=MinShould((A, B), 1))),
        (Filter(min_should=MinShould((Filter(), A), 1)), Filter()),
    ],
)
def test_simplify(filter: Filter, simple: Filter) -> None:
    assert simplify(filter) == simple


@pytest.mark.parametrize(
    "filter",
    [
        Filter(must=(A, Filter(should=(A, B)))),
        Filter(must_not=(Filter(must=(A, B)),)),
        Filter(should=(Filter(must=(A, B)), C)),
        Filter(should=(Equal("a", True), Equal("a", 1))),
        Filter(min_should=MinShould((A, A), 1)),
    ],
)
def test_simplify_leaves_what_has_a_meaning(filter: Filter) -> None:
    assert simplify(filter) == filter
    node = search(derived_filter(filter))
    assert normalise_filter(node) is node


@given(FILTERS)
def test_simple_filters_match_the_same(filter: Filter) -> None:
    world = random_world(7)
    simple = simplify(filter)
    assert oracle.matching(world, simple) == oracle.matching(world, filter)
    assert simplify(simple) == simple


def test_drop_empty() -> None:
    never, always = search(NEVER), search(made())
    assert drop_empty(always) == search()
    assert drop_empty(never) == EMPTY
    assert drop_empty(search(made(should=(AnyOf("a", ()), HasId(()))))) == EMPTY
    assert drop_empty(search(made(must_not=(Filter(),)))) == EMPTY
    assert drop_empty(Gate(stage="root", filter=NEVER, child=search())) == EMPTY
    assert drop_empty(Gate(stage="root", filter=made(), child=search())) == search()
    assert drop_empty(Limit(stage="root", limit=3, child=never)) == EMPTY
    rescore = Rerank(stage="root", ranker=NEAR, children=(never, never))
    assert drop_empty(rescore) == EMPTY
    assert drop_empty(fused(never, search())) == fused(EMPTY, search())
    assert drop_empty(FuseScores(stage="root", weights=(1.0,), children=(never,))) == EMPTY


@pytest.mark.parametrize("rule", optimizer.RULES, ids=lambda rule: rule.__name__)
def test_rules_return_the_same_object_when_they_do_nothing(rule: optimizer.Rule) -> None:
    plan = Limit(stage="root", limit=2, child=fused(search(), search(made(must=(A,)))))
    assert rule(plan) is plan


def test_leaves_on_true_and_on_one_are_not_equal() -> None:
    assert search(made(must=(Equal("a", True),))) != search(made(must=(Equal("a", 1),)))
    assert search(made(must=(AnyOf("a", (1, True)),))) != search(made(must=(AnyOf("a", (True, 1)),)))
    assert search() == search()


@pytest.mark.parametrize(
    "condition",
    [
        Range(path="a", gt=1, lt=1),
        Range(path="a", gte=1, lt=1),
        Range(path="a", gt=1.5, gte=0, lte=1),
        Range(path="a", gte="b", lt="a"),
        ValuesCount(path="a", gt=1, lt=2),
        ValuesCount(path="a", lt=0),
        Nested("a", NEVER),
        Filter(must=(A,), must_not=(A,)),
        Filter(must=(HasId((1, 2)), HasId((3,)))),
        Filter(min_should=MinShould((A, NEVER, HasId(())), 2)),
    ],
)
def test_contradictions_match_nothing(condition: Condition) -> None:
    assert matches_nothing(condition)
    assert drop_empty(search(made(must=(condition,)))) == EMPTY
    assert simplify(Filter(must=(B,), must_not=(condition,), should=(condition, A))) == Filter(must=(B, A))


@pytest.mark.parametrize(
    "condition",
    [
        Range(path="a", gte=1, lte=1),
        Range(path="a", gt=1, lte=2),
        Range(path="a", gt=0, gte=1, lt=2, lte=1),
        ValuesCount(path="a", gt=1, lt=3),
        Filter(must=(A,), must_not=(B,)),
        Filter(must=(Equal("a", True),), must_not=(A,)),
        Filter(must=(HasId((1, 2)), HasId((2, 3)))),
        Filter(min_should=MinShould((A, NEVER), 1)),
    ],
)
def test_what_some_point_could_match_is_no_contradiction(condition: Condition) -> None:
    assert not matches_nothing(condition)


@given(FILTERS)
def test_no_point_matches_a_contradiction(filter: Filter) -> None:
    assert not matches_nothing(filter) or oracle.matching(WORLD, filter) == []


@given(FILTERS)
def test_order_conditions_keeps_what_matches_and_is_done_at_once(filter: Filter) -> None:
    ordered = order_conditions(search(derived_filter(filter)))
    assert isinstance(ordered, Search)
    assert ordered.filter is not None
    assert oracle.matching(WORLD, ordered.filter) == oracle.matching(WORLD, filter)
    assert order_conditions(ordered) is ordered


def test_order_conditions_puts_cheap_conditions_first_at_every_level() -> None:
    regex = TextTest("a", TextOperator.REGEX, "x")
    inner, ordered = Filter(should=(regex, A)), Filter(should=(A, regex))
    plan = search(made(must=(regex, inner, B, HasId((1,))), must_not=(regex, A)))
    assert order_conditions(plan) == search(made(must=(HasId((1,)), B, regex, ordered), must_not=(A, regex)))
    assert order_conditions(search(made(must=(A, B)))) == order_conditions(search(made(must=(B, A))))


def exact(limit: int) -> Search:
    return replace(search(), limit=limit, ranker=NEAR.exactly())


def limited(limit: int, child: Node, offset: int = 0) -> Limit:
    return Limit(stage="root", limit=limit, offset=offset, child=child)


def test_push_limit_goes_through_what_keeps_the_order_of_one_list() -> None:
    threshold = partial(Threshold, stage="root", threshold=0.5, higher_is_better=True)
    plan = limited(2, fused(limited(9, threshold(child=exact(9)))), offset=1)
    assert push_limit(plan) == limited(2, fused(limited(3, threshold(child=exact(3)))), offset=1)
    leaf = Scan(stage="root", limit=9)
    assert push_limit(limited(4, leaf)) == limited(4, Scan(stage="root", limit=4))
    diversify = partial(
        Diversify, stage="root", space="", distance=Distance.DOT, diversity=0.5, candidates=6, child=exact(9)
    )
    assert push_limit(limited(2, diversify(limit=3))) == limited(2, diversify(limit=2, child=exact(6)))


@pytest.mark.parametrize(
    "child",
    [
        fused(exact(9), exact(8)),
        replace(fused(exact(9)), weights=(0.0,)),
        replace(fused(exact(9)), k=1e12),
        FuseScores(stage="root", weights=(1.0,), children=(exact(9),)),
        Rerank(stage="root", ranker=NEAR, children=(exact(9),)),
        Gate(stage="root", filter=made(must=(A,)), child=exact(9)),
        replace(search(), limit=9),
        exact(2),
    ],
)
def test_push_limit_leaves_alone_what_needs_every_row_and_graphs(child: Node) -> None:
    plan = limited(2, child)
    assert push_limit(plan) is plan


def test_the_optimizer_refuses_to_run_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    def flip(node: Node) -> Node:
        return search(made(must=(A,))) if node == search() else search()

    monkeypatch.setattr(optimizer, "RULES", (flip,))
    with pytest.raises(AssertionError, match="does not converge"):
        optimizer.optimize(Plan(root=search(), payload=None, vectors=None))


@pytest.mark.parametrize(("exact", "limit"), [(False, 50), (True, 4)])
def test_multi_vectors_are_asked_for_fewer_only_where_no_graph_finds_them(exact: bool, limit: int) -> None:
    """Their graphs look as far as the limit says."""
    query = MultiQuery(MultiVector(np.ones((2, 2), np.float32)), exact)
    leaf = Search(stage="root.prefetch[0]", ranker=InMulti(query, "tokens"), limit=50)
    fused = FuseRanks(stage="root", k=60, weights=(1.0,), children=(leaf,))
    pushed = push_limit(Limit(stage="root", limit=3, offset=1, child=fused))
    assert pushed == Limit(
        stage="root", limit=3, offset=1, child=replace(fused, children=(replace(leaf, limit=limit),))
    )
