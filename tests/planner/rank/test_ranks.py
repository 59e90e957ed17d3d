"""Ways to rank on a small shop, against answers worked out by hand; what is refused; pages of diverse answers."""

import numpy as np
import pytest

from planner.engine import Engine
from planner.errors import InvalidQuery
from planner.limits import MAX_EXAMPLES, MAX_MMR_CANDIDATES
from planner.query.query import (
    Context,
    ContextPair,
    Discover,
    FilterScope,
    Mmr,
    Nearest,
    OrderBy,
    Query,
    QueryVector,
    Rank,
    Recommend,
    RecommendStrategy,
    Sample,
    ScoreMode,
    Stage,
    StoredVector,
)
from storage.budget import Budget
from storage.collection import Collection
from storage.errors import (
    Cancelled,
    DimensionMismatch,
    EngineError,
    LimitExceeded,
    NotFinite,
    PointNotFound,
    ZeroVector,
)
from storage.schema import PointId
from storage.search.random_order import seeded_order
from tests.planner.refused_fields import field_of

TEXT = Stage(query=Nearest(QueryVector(np.array([1, 0], np.float32))), using="text", limit=3)


def vector(*values: float) -> QueryVector:
    return QueryVector(np.array(values, np.float32))


def ids(engine: Engine, shop: Collection, root: Stage) -> list[PointId]:
    return [hit.id for hit in engine.queries.query(shop, [Query(root=root)])[0].hits]


def by(rank: Rank, using: str | None = None, limit: int = 20) -> Stage:
    return Stage(query=rank, using=using, limit=limit)


def test_order_by_number(engine: Engine, shop: Collection) -> None:
    assert ids(engine, shop, by(OrderBy("price"))) == [1, 2, "a-2", "a-1", 5, 6, 3, 4]
    assert ids(engine, shop, by(OrderBy("price", descending=True), limit=3)) == [4, 3, 6]
    assert ids(engine, shop, by(OrderBy("price", start_from=90), limit=3)) == [5, 6, 3]
    assert ids(engine, shop, by(OrderBy("price", descending=True, start_from=89.5), limit=3)) == ["a-1", "a-2", 2]
    assert ids(engine, shop, by(OrderBy("price", descending=True, start_from=90), limit=2)) == [5, "a-1"]


def test_of_an_array_the_first_in_the_order_counts(engine: Engine, shop: Collection) -> None:
    assert ids(engine, shop, by(OrderBy("tags", descending=True))) == ["a-1", "a-2", 1, 3, 5, 2, 6, 4]


def test_equal_and_missing_values_are_in_id_order_in_both_directions(engine: Engine, shop: Collection) -> None:
    assert ids(engine, shop, by(OrderBy("color", descending=True))) == [1, 3, 5, 6, "a-1", 2, 4, "a-2"]
    for descending in (False, True):
        order = ids(engine, shop, by(OrderBy("nowhere", descending=descending)))
        assert order == [1, 2, 3, 4, 5, 6, "a-1", "a-2"]


def test_order_by_as_a_second_stage_orders_what_the_first_found(engine: Engine, shop: Collection) -> None:
    root = Stage(query=OrderBy("price", descending=True), prefetch=(TEXT,), limit=5)
    assert ids(engine, shop, root) == ["a-2", 2, 1]


def test_a_sample_is_of_its_seed(engine: Engine, shop: Collection) -> None:
    one, again, other = (ids(engine, shop, by(Sample(seed))) for seed in (1, 1, 2))
    assert one == again != other
    assert set(one) == set(other) == {1, 2, 3, 4, 5, 6, "a-1", "a-2"}
    assert ids(engine, shop, by(Sample(1), limit=3)) == one[:3]
    unseeded = ids(engine, shop, by(Sample()))
    with shop.snapshot() as reader:
        assert unseeded == ids(engine, shop, by(Sample(reader.seq)))


def test_a_sample_ends_when_its_time_does(shop: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    """The caller goes away after some ids were hashed; no more are read."""
    asked = iter((False, False, True))
    monkeypatch.setattr("storage.search.random_order.HASHED_AT_ONCE", 2)
    with shop.snapshot() as reader, pytest.raises(Cancelled):
        seeded_order(1, reader.all_slots(), reader, Budget(is_cancelled=lambda: next(asked)))


def test_recommend_leaves_examples_out_and_sees_negatives(engine: Engine, shop: Collection) -> None:
    liked = Recommend((StoredVector(1),))
    assert ids(engine, shop, by(liked, "text", 2)) == [2, "a-2"]
    assert ids(engine, shop, by(Recommend((StoredVector(1),), (StoredVector(2),)), "text")) == ["a-2", 4, 3, 5, 6]
    average = Recommend((vector(1, 0),), (vector(0, 1),))
    assert ids(engine, shop, by(average, "text")) == [1, 2, "a-2", 4, 3, 5, 6], "nearest to (2, -1)"
    best = Recommend((vector(1, 0),), (vector(0, 1),), RecommendStrategy.BEST_SCORE)
    assert ids(engine, shop, by(best, "text"))[:2] == [1, 2]
    assert ids(engine, shop, by(best, "text"))[-1] == 3, "it is a negative example itself"
    total = Recommend((vector(1, 0), vector(1, 0)), (), RecommendStrategy.SUM_SCORES)
    (answer,) = engine.queries.query(shop, [Query(root=by(total, "text", 1))])
    assert [(hit.id, hit.score) for hit in answer.hits] == [(1, 2.0)]


def test_scores_of_an_average_are_the_metrics(engine: Engine, shop: Collection) -> None:
    root = Stage(query=Recommend((StoredVector(3),)), using="image", limit=1, score_mode=ScoreMode.DISTANCE)
    (answer,) = engine.queries.query(shop, [Query(root=root)])
    assert [(hit.id, hit.score) for hit in answer.hits] == [(4, 1.0)]


def test_discover_counts_sides_before_nearness(engine: Engine, shop: Collection) -> None:
    pairs = (ContextPair(vector(-1, 1), vector(1, 0)),)
    assert ids(engine, shop, by(Discover(vector(1, 0), pairs), "text")) == [3, 5, 6, 1, 2, "a-2", 4]
    (answer,) = engine.queries.query(shop, [Query(root=by(Context(pairs), "text", 3))])
    assert [(hit.id, hit.score) for hit in answer.hits] == [(3, 0), (5, 0), (6, 0)], "all on the positive side"


def test_diversity_picks_the_unlike_and_keeps_scores(engine: Engine, shop: Collection) -> None:
    plain = ids(engine, shop, by(Nearest(vector(1, 0)), "text"))
    assert ids(engine, shop, by(Nearest(vector(1, 0), mmr=Mmr(0.0)), "text")) == plain
    diverse = by(Nearest(vector(1, 0), mmr=Mmr(0.7)), "text", 2)
    (answer,) = engine.queries.query(shop, [Query(root=diverse)])
    assert [hit.id for hit in answer.hits] == [1, 6], "6 is the least like 1"
    assert answer.hits[0].score == 1.0
    narrow = by(Nearest(vector(1, 0), mmr=Mmr(0.7, candidates=3)), "text", 2)
    assert ids(engine, shop, narrow) == [1, "a-2"], "the least like 1 of the three nearest"


def test_pages_of_a_diverse_answer_continue_each_other(engine: Engine, shop: Collection) -> None:
    rank = Nearest(vector(1, 0), mmr=Mmr(0.6))
    whole = ids(engine, shop, by(rank, "text", 7))
    pages = [ids(engine, shop, Stage(query=rank, using="text", limit=2, offset=offset)) for offset in (0, 2, 4, 6)]
    assert [point_id for page in pages for point_id in page] == whole
    assert len(whole) == 7


def test_plans_name_the_way_to_rank(engine: Engine, shop: Collection) -> None:
    leaf = Stage(query=OrderBy("price", descending=True, start_from=90))
    diverse = Stage(query=Nearest(vector(1, 0), mmr=Mmr()), using="text", prefetch=(leaf,), limit=2)
    (answer,) = engine.queries.query(shop, [Query(root=diverse, explain=True)])
    assert answer.explanation is not None
    text = answer.explanation.text
    for part in ("diversify diversity=0.5 candidates=100 limit=2", "order_by path=price direction=descending"):
        assert part in text
    assert "start_from=90" in text


@pytest.mark.parametrize(
    ("stage", "error", "field"),
    [
        (by(OrderBy("")), InvalidQuery, "query.order_by.path"),
        (by(OrderBy("a", start_from=float("nan"))), NotFinite, "query.order_by.start_from"),
        (by(OrderBy("a"), "text"), InvalidQuery, "using"),
        (by(Sample(1), "text"), InvalidQuery, "using"),
        (by(Sample(2**64)), InvalidQuery, "query.sample.seed"),
        (Stage(query=Sample(1), score_threshold=0.5), InvalidQuery, "score_threshold"),
        (Stage(query=OrderBy("a"), score_mode=ScoreMode.DISTANCE), InvalidQuery, "score_mode"),
        (by(Recommend(()), "text"), InvalidQuery, "query.recommend"),
        (by(Recommend((), (vector(1, 0),)), "text"), InvalidQuery, "query.recommend.positive"),
        (by(Recommend((vector(1, 0),), (vector(1),)), "text"), DimensionMismatch, "query.recommend.negative[0]"),
        (by(Recommend((vector(1, 0),) * (MAX_EXAMPLES + 1)), "text"), LimitExceeded, "query.recommend"),
        (by(Recommend((vector(1, 0), vector(-1, 0))), "text"), ZeroVector, "query.recommend"),
        (by(Discover(vector(1), ()), "text"), DimensionMismatch, "query.discover.target"),
        (by(Discover(vector(1, 0), ()), "text"), InvalidQuery, "query.discover.context"),
        (by(Context(()), "text"), InvalidQuery, "query.context.pairs"),
        (
            by(Context((ContextPair(vector(1, 0), vector(1)),)), "text"),
            DimensionMismatch,
            "query.context.pairs[0].negative",
        ),
        (by(Nearest(vector(1, 0), mmr=Mmr(1.5)), "text"), InvalidQuery, "query.nearest_with_mmr.diversity"),
        (by(Nearest(vector(1, 0), mmr=Mmr(float("inf"))), "text"), NotFinite, "query.nearest_with_mmr.diversity"),
        (by(Nearest(vector(1, 0), mmr=Mmr(candidates=19)), "text"), InvalidQuery, "query.nearest_with_mmr.candidates"),
        (
            by(Nearest(vector(1, 0), mmr=Mmr()), "text", MAX_MMR_CANDIDATES + 1),
            LimitExceeded,
            "query.nearest_with_mmr.candidates",
        ),
        (by(Nearest(vector(1), mmr=Mmr()), "text"), DimensionMismatch, "query.nearest_with_mmr.nearest"),
        (Stage(query=Context(()), filter_scope=FilterScope.GATE), EngineError, "using"),
    ],
)
def test_refused(engine: Engine, shop: Collection, stage: Stage, error: type[EngineError], field: str) -> None:
    with pytest.raises(error) as caught:
        engine.queries.query(shop, [Query(root=stage)])
    assert field_of(caught.value) == field


def test_an_example_that_is_not_there(engine: Engine, shop: Collection) -> None:
    with pytest.raises(PointNotFound):
        engine.queries.query(shop, [Query(root=by(Recommend((StoredVector(99),)), "text"))])
