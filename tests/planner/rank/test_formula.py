"""Formulas on a small shop, against answers worked out by hand: variables, functions, defaults, and what is refused."""

import math
from dataclasses import replace

import numpy as np
import pytest

from planner.engine import Engine
from planner.errors import InvalidFilter, InvalidQuery
from planner.limits import MAX_FORMULA_DEPTH, MAX_FORMULA_PARTS
from planner.query.filter import Equal, Filter, GeoPoint, Range
from planner.query.formula import (
    Constant,
    Datetime,
    DatetimeKey,
    Decay,
    DecayShape,
    Div,
    Expression,
    FieldValue,
    Formula,
    Function,
    GeoDistance,
    Holds,
    ListFunction,
    OfList,
    OfOne,
    Pow,
    PrefetchScore,
)
from planner.query.formula_text import describe_expression, describe_formula
from planner.query.query import FilterScope, Nearest, Query, QueryVector, Rrf, ScoreMode, Stage
from storage.collection import Collection
from storage.errors import EngineError, LimitExceeded, NotFinite
from storage.schema import PointId
from tests.planner.refused_fields import field_of

TEXT = Stage(query=Nearest(QueryVector(np.array([1, 0], np.float32))), using="text", limit=3)
IMAGE = Stage(query=Nearest(QueryVector(np.array([3, 0, 0], np.float32))), using="image", limit=2)
PRICE = FieldValue("price")
RED = Filter(must=(Equal("color", "red"),))


def total(*parts: Expression) -> OfList:
    return OfList(ListFunction.SUM, parts)


def product(*parts: Expression) -> OfList:
    return OfList(ListFunction.MULT, parts)


def scored(engine: Engine, shop: Collection, root: Stage) -> dict[PointId, float]:
    return {hit.id: hit.score for hit in engine.queries.query(shop, [Query(root=root)])[0].hits}


def value(engine: Engine, shop: Collection, expression: Expression) -> float:
    """Of point 1, whose price is 30."""
    scores = scored(engine, shop, Stage(query=Formula(expression), prefetch=(replace(TEXT, limit=1),)))
    return scores[1]


def test_a_leaf_ranks_every_matching_point(engine: Engine, shop: Collection) -> None:
    root = Stage(query=Formula(OfOne(Function.NEG, PRICE)), filter=RED, limit=2)
    assert scored(engine, shop, root) == {1: -30, 5: -90}


def test_scores_of_prefetches_are_0_where_a_list_lacks_the_point(engine: Engine, shop: Collection) -> None:
    both = total(PrefetchScore(0), product(PrefetchScore(1), Constant(10)))
    scores = scored(engine, shop, Stage(query=Formula(both), prefetch=(TEXT, IMAGE)))
    assert scores == {4: 10.0, 1: 1.0, 2: 0.8944271802902222, "a-2": 0.7071067690849304, 3: 0.0}, "of 3 both are 0"
    assert list(scores) == [4, 1, 2, "a-2", 3]
    far = Formula(both, (("$score", 2.0), ("$score[1]", 5.0)))
    assert scored(engine, shop, Stage(query=far, prefetch=(TEXT, IMAGE)))[1] == 51.0
    assert scored(engine, shop, Stage(query=far, prefetch=(TEXT, IMAGE)))[3] == 2.0


def test_a_fusion_below_gives_its_scores(engine: Engine, shop: Collection) -> None:
    fused = Stage(query=Rrf(k=1), prefetch=(TEXT, TEXT))
    assert scored(engine, shop, Stage(query=Formula(PrefetchScore()), prefetch=(fused,)))[1] == 1.0


def test_gates_thresholds_and_limits_come_after(engine: Engine, shop: Collection) -> None:
    root = Stage(query=Formula(PRICE), prefetch=(TEXT,), score_threshold=40, limit=1)
    assert scored(engine, shop, root) == {"a-2": 60}
    assert scored(engine, shop, replace(root, filter=RED)) == {}
    pushed = replace(root, filter=RED, filter_scope=FilterScope.PUSH_DOWN)
    assert scored(engine, shop, pushed) == {3: 200}
    assert scored(engine, shop, replace(root, score_mode=ScoreMode.SIMILARITY)) == {"a-2": 60}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (Constant(2.5), 2.5),
        (PRICE, 30),
        (Holds(RED), 1),
        (Holds(Filter(must_not=(Equal("color", "red"),))), 0),
        (Holds(Filter()), 1),
        (total(PRICE, Constant(1), Constant(2)), 33),
        (product(PRICE, Holds(RED), Constant(0.5)), 15),
        (OfList(ListFunction.MIN, (PRICE, Constant(3))), 3),
        (OfList(ListFunction.MAX, (PRICE, Constant(3))), 30),
        (OfOne(Function.ABS, Constant(-2)), 2),
        (OfOne(Function.SQRT, Constant(16)), 4),
        (OfOne(Function.EXP, Constant(1)), math.e),
        (OfOne(Function.LN, Constant(10)), math.log(10)),
        (OfOne(Function.LOG10, Constant(1000)), 3),
        (Pow(Constant(2), Constant(-1)), 0.5),
        (Div(PRICE, Constant(4)), 7.5),
        (Div(PRICE, Constant(0), 9.0), 9),
        (Div(Constant(0), Constant(0), 9.0), 9),
        (Datetime("1970-01-02T00:00:00Z"), 86_400),
        (Datetime("1970-01-01T01:00:00.5+01:00"), 0.5),
        (Decay(DecayShape.LIN, PRICE, Constant(20), 10, 0.5), 0.5),
        (Decay(DecayShape.LIN, PRICE, Constant(20), 5, 0.5), 0),
        (Decay(DecayShape.LIN, PRICE, Constant(40), 20, 0.25), 0.625),
        (Decay(DecayShape.EXP, PRICE, Constant(10), 10, 0.5), 0.25),
        (Decay(DecayShape.GAUSS, PRICE, Constant(10), 10, 0.5), 0.0625),
        (Decay(DecayShape.EXP, Constant(1)), 0.5),
        (Decay(DecayShape.GAUSS, Constant(1e308), Constant(-1e308), 1e-300), 0),
        (Decay(DecayShape.LIN, Constant(0), None, 5e-324), 1),
        (product(Constant(0), OfOne(Function.LN, Constant(0))), 0),
        (product(OfOne(Function.LN, Constant(0)), Constant(0)), 0),
        (product(Constant(1e300), Constant(1e300), Constant(0)), 0),
        (Constant(1e300), 3.4028234663852886e38),
    ],
    ids=lambda part: part if isinstance(part, float | int) else describe_expression(part),
)
def test_values(engine: Engine, shop: Collection, expression: Expression, expected: float) -> None:
    assert value(engine, shop, expression) == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize(
    ("expression", "field"),
    [
        (FieldValue("nowhere"), "field"),
        (FieldValue("color"), "field"),
        (DatetimeKey("color"), "datetime_key"),
        (GeoDistance(GeoPoint(0, 0), "color"), "geo_distance"),
        (Div(PRICE, Constant(0)), "div"),
        (OfOne(Function.SQRT, Constant(-1)), "sqrt"),
        (OfOne(Function.LN, Constant(0)), "ln"),
        (OfOne(Function.LOG10, Constant(-1)), "log10"),
        (OfOne(Function.EXP, Constant(1000)), "exp"),
        (Pow(Constant(0), Constant(-1)), "pow"),
        (Pow(Constant(-8), Constant(1 / 3)), "pow"),
        (Pow(Constant(10), Constant(999)), "pow"),
        (total(Constant(1e308), Constant(1e308)), "sum"),
        (product(Constant(1e308), Constant(10)), "mult"),
        (total(Constant(1), OfOne(Function.LN, Div(Constant(1), Constant(0)))), "sum.parts[1].ln.div"),
        (Div(Constant(1), Div(PRICE, Constant(0), None), 2.0), "div.right.div"),
    ],
)
def test_a_point_without_a_value_is_refused_or_drops_out(
    engine: Engine, shop: Collection, expression: Expression, field: str
) -> None:
    inner = Stage(query=Formula(expression), prefetch=(TEXT,))
    for root, path in ((inner, "queries[7].query"), (Stage(query=Formula(PRICE), prefetch=(TEXT, inner)), None)):
        with pytest.raises(InvalidQuery) as caught:
            engine.queries.query(shop, [Query(root=root, path="queries[7]")])
        assert field_of(caught.value) == f"{path or 'queries[7].prefetch[1].query'}.formula.expression.{field}"
        assert "point" in str(caught.value)
        assert caught.value.metadata["point_id"]
    assert scored(engine, shop, replace(inner, query=Formula(expression, drop_undefined=True))) == {}


def test_only_points_without_a_value_drop_out(engine: Engine, shop: Collection) -> None:
    away = Div(Constant(1), total(PRICE, Constant(-30)))
    found = scored(engine, shop, Stage(query=Formula(away, drop_undefined=True), prefetch=(TEXT,)))
    assert list(found) == [2, "a-2"]
    with pytest.raises(InvalidQuery, match="point 1 has no score: a number is divided by 0"):
        scored(engine, shop, Stage(query=Formula(away), prefetch=(TEXT,)))


def test_defaults_stand_for_what_is_missing(engine: Engine, shop: Collection) -> None:
    def of(expression: Expression, **defaults: float | str | GeoPoint) -> float:
        formula = Formula(expression, tuple(defaults.items()))
        return scored(engine, shop, Stage(query=formula, prefetch=(replace(TEXT, limit=1),)))[1]

    assert of(FieldValue("nowhere"), nowhere=7.0) == 7
    assert of(PRICE, price=7.0) == 30
    assert of(DatetimeKey("nowhere"), nowhere=7.0) == 7
    assert of(DatetimeKey("nowhere"), nowhere="1970-01-01T00:01:00Z") == 60
    assert of(GeoDistance(GeoPoint(0, 0), "nowhere"), nowhere=GeoPoint(0, 1)) == pytest.approx(111_195, rel=1e-4)


def chain(levels: int) -> Expression:
    found: Expression = Constant(1)
    for _ in range(levels - 1):
        found = OfOne(Function.NEG, found)
    return found


ONE = Constant(1)
NAN = float("nan")


@pytest.mark.parametrize(
    ("formula", "error", "field"),
    [
        (Formula(Constant(NAN)), NotFinite, "expression.constant"),
        (Formula(PrefetchScore(1)), InvalidQuery, "expression.score"),
        (Formula(FieldValue("a..b")), InvalidQuery, "expression.field"),
        (Formula(DatetimeKey("")), InvalidQuery, "expression.datetime_key"),
        (Formula(Datetime("yesterday")), InvalidQuery, "expression.datetime"),
        (Formula(GeoDistance(GeoPoint(91, 0), "a")), InvalidQuery, "expression.geo_distance.origin.lat"),
        (Formula(GeoDistance(GeoPoint(0, NAN), "a")), NotFinite, "expression.geo_distance.origin.lon"),
        (Formula(GeoDistance(GeoPoint(0, 0), "[")), InvalidQuery, "expression.geo_distance.path"),
        (Formula(total()), InvalidQuery, "expression.sum.parts"),
        (Formula(total(ONE, Pow(ONE, Constant(NAN)))), NotFinite, "expression.sum.parts[1].pow.exponent.constant"),
        (Formula(Div(ONE, ONE, NAN)), NotFinite, "expression.div.by_zero_default"),
        (Formula(Decay(DecayShape.EXP, ONE, scale=0)), InvalidQuery, "expression.exp_decay.scale"),
        (Formula(Decay(DecayShape.EXP, ONE, scale=math.inf)), NotFinite, "expression.exp_decay.scale"),
        (Formula(Decay(DecayShape.LIN, ONE, midpoint=1)), InvalidQuery, "expression.lin_decay.midpoint"),
        (Formula(Decay(DecayShape.LIN, ONE, midpoint=0)), InvalidQuery, "expression.lin_decay.midpoint"),
        (Formula(Decay(DecayShape.GAUSS, ONE, Constant(NAN))), NotFinite, "expression.gauss_decay.target.constant"),
        (
            Formula(Holds(Filter(must=(Range(path="a"),)))),
            InvalidFilter,
            "expression.condition.must[0].field.range",
        ),
        (Formula(chain(MAX_FORMULA_DEPTH + 1)), LimitExceeded, "expression"),
        (Formula(total(*[ONE] * MAX_FORMULA_PARTS)), LimitExceeded, "expression"),
        (Formula(ONE, (("$scores", 1.0),)), InvalidQuery, 'defaults["$scores"]'),
        (Formula(ONE, (("$score[01]", 1.0),)), InvalidQuery, 'defaults["$score[01]"]'),
        (Formula(ONE, (("$score", "x"),)), InvalidQuery, 'defaults["$score"]'),
        (Formula(ONE, (("$score", 1.0), ("$score[0]", 1.0))), InvalidQuery, 'defaults["$score"]'),
        (Formula(ONE, (("a..b", 1.0),)), InvalidQuery, 'defaults["a..b"]'),
        (Formula(ONE, (("a", NAN),)), NotFinite, 'defaults["a"]'),
        (Formula(FieldValue("a"), (("a", "x"),)), InvalidQuery, 'defaults["a"]'),
        (Formula(DatetimeKey("a"), (("a", "x"),)), InvalidQuery, 'defaults["a"]'),
        (Formula(GeoDistance(GeoPoint(0, 0), "a"), (("a", 1.0),)), InvalidQuery, 'defaults["a"]'),
        (Formula(GeoDistance(GeoPoint(0, 0), "a"), (("a", GeoPoint(0, 181)),)), InvalidQuery, 'defaults["a"].lon'),
    ],
)
def test_refused(engine: Engine, shop: Collection, formula: Formula, error: type[EngineError], field: str) -> None:
    with pytest.raises(error) as caught:
        engine.queries.query(shop, [Query(root=Stage(query=formula, prefetch=(TEXT,)))])
    assert field_of(caught.value) == f"query.formula.{field}"


def test_the_largest_formulas_are_answered(engine: Engine, shop: Collection) -> None:
    assert value(engine, shop, chain(MAX_FORMULA_DEPTH)) == -1
    assert value(engine, shop, total(*[ONE] * (MAX_FORMULA_PARTS - 1))) == MAX_FORMULA_PARTS - 1


def test_a_stage_of_a_formula_has_no_space_no_distance_and_no_score_without_prefetches(
    engine: Engine, shop: Collection
) -> None:
    for root, field in (
        (Stage(query=Formula(PRICE), using="text"), "using"),
        (Stage(query=Formula(PRICE), score_mode=ScoreMode.DISTANCE), "score_mode"),
        (Stage(query=Formula(PrefetchScore())), "query.formula.expression.score"),
    ):
        with pytest.raises(InvalidQuery) as caught:
            engine.queries.query(shop, [Query(root=root)])
        assert field_of(caught.value) == field


def test_explain_shows_the_formula(engine: Engine, shop: Collection) -> None:
    formula = Formula(total(product(PrefetchScore(), Constant(2)), PRICE), (("price", 1.0),), drop_undefined=True)
    assert describe_formula(formula) == {
        "expression": "($score[0] * 2) + price",
        "defaults": "price: 1",
        "undefined": "drop",
    }
    text = engine.queries.explain(shop, Query(root=Stage(query=formula, prefetch=(TEXT,)))).text
    assert "($score[0] * 2) + price" in text
    decay = Decay(DecayShape.EXP, GeoDistance(GeoPoint(1, 2), "at"), None, 500.0)
    assert describe_expression(decay) == "exp_decay(geo_distance(at, 1, 2), 0, 500, 0.5)"
    assert describe_expression(Div(ONE, OfOne(Function.NEG, ONE))) == "1 / (-1)"
    assert describe_expression(product(Holds(RED), Pow(PRICE, ONE))) == 'matches(color = "red") * (price ** 1)'
