"""Ranking by metrics that a query chooses, on a small shop: scores, directions, composites, and what is refused."""

import math

import numpy as np
import pytest

from planner.engine import Engine
from planner.errors import AmbiguousSpace, InvalidQuery
from planner.limits import MAX_EXAMPLES, MAX_WEIGHT
from planner.query.metrics import Metric, metric_scores
from planner.query.query import (
    ByMetrics,
    Dbsf,
    Nearest,
    Query,
    QueryVector,
    ScoreMode,
    Stage,
    StoredVector,
    WeightedMetric,
)
from storage.collection import Collection
from storage.errors import (
    DimensionMismatch,
    EmptyVector,
    EngineError,
    InvalidPointId,
    LimitExceeded,
    NotFinite,
    PointNotFound,
    SpaceNotFound,
    VectorNotFound,
    ZeroVector,
)
from storage.schema import Distance, PointId
from storage.vectors.distance import score_rows
from tests.planner.refused_fields import field_of
from tests.support.oracle.formula import metric_score


def vector(*values: float) -> QueryVector:
    return QueryVector(np.array(values, np.float32))


TEXT = Stage(query=Nearest(vector(1, 0)), using="text", limit=3)
"""Points 1 (1, 0), 2 (1, .5) and a-2 (1, 1)."""
NAN = float("nan")


def scored(engine: Engine, shop: Collection, root: Stage) -> dict[PointId, float]:
    return {hit.id: hit.score for hit in engine.queries.query(shop, [Query(root=root)])[0].hits}


def by(metric: Metric, *values: float) -> ByMetrics:
    return ByMetrics(vector(*values), metric)


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        (Metric.COSINE, {1: 1, 2: 0.894427, "a-2": 0.707107}),
        (Metric.DOT, {1: 2, 2: 2, "a-2": 2}),
        (Metric.EUCLID, {1: 1, 2: math.sqrt(1.25), "a-2": math.sqrt(2)}),
        (Metric.MANHATTAN, {1: 1, 2: 1.5, "a-2": 2}),
        (Metric.CHEBYSHEV, {1: 1, 2: 1, "a-2": 1}),
        (Metric.ANGULAR, {1: 0, 2: 0.147584, "a-2": 0.25}),
    ],
)
def test_scores_are_the_metrics(
    engine: Engine, shop: Collection, metric: Metric, expected: dict[PointId, float]
) -> None:
    found = scored(engine, shop, Stage(query=by(metric, 2, 0), using="text", prefetch=(TEXT,)))
    assert list(found) == list(expected)
    assert found == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("metric", [metric for metric in Metric if metric.name in Distance.__members__])
def test_metrics_that_spaces_have_are_theirs_to_the_byte(metric: Metric) -> None:
    rows = np.random.default_rng(1).standard_normal((50, 7)).astype(np.float32)
    ours = metric_scores(metric, rows[0], rows).astype(np.float32)
    np.testing.assert_array_equal(ours, score_rows(Distance[metric.name], rows[0], rows), strict=True)


def test_a_row_scores_the_same_whatever_others_are_scored_with_it() -> None:
    rows = np.random.default_rng(2).standard_normal((37, 19)).astype(np.float32)
    for metric in Metric:
        together = metric_scores(metric, rows[0], rows)
        alone = np.concatenate([metric_scores(metric, rows[0], rows[[number]]) for number in range(len(rows))])
        np.testing.assert_array_equal(together, alone, strict=True)


@pytest.mark.parametrize("apart", [0, 1, 51, 5_000, 10_000_000])
@pytest.mark.parametrize("scale", [1.0, -1.0, 1e-18, 1e18, 2.0])
def test_small_angles_are_exact(apart: int, scale: float) -> None:
    """`apart` float32 steps in the first component: the cosine alone cannot tell them from none."""
    query = np.array([0.3, -0.4, 1.7], np.float32)
    row = (query.view(np.int32) + np.array([apart, 0, 0], np.int32)).view(np.float32) * np.float32(scale)
    found = np.float32(metric_scores(Metric.ANGULAR, query, row[None])[0])
    assert found == pytest.approx(metric_score(Metric.ANGULAR, query, row), rel=1e-7, abs=1e-15)


def test_a_leaf_ranks_every_matching_point(engine: Engine, shop: Collection) -> None:
    found = scored(engine, shop, Stage(query=by(Metric.CHEBYSHEV, 0, 0, 0), using="image", limit=4))
    assert list(found.items()) == [(1, 1), (2, 1), ("a-1", 1), (5, 2)]


def test_a_stored_vector_is_left_out_of_its_own_stage(engine: Engine, shop: Collection) -> None:
    rank = ByMetrics(StoredVector(1), Metric.MANHATTAN)
    found = scored(engine, shop, Stage(query=rank, using="text", prefetch=(TEXT,)))
    assert found == {2: 0.5, "a-2": 1}, "the prefetch stays as it is"
    assert list(scored(engine, shop, Stage(query=rank, using="text"))) == [2, "a-2", 4, 3, 6, 5]


def test_a_composite_adds_similarities_and_takes_distances_away(engine: Engine, shop: Collection) -> None:
    parts = (WeightedMetric(Metric.COSINE, 2.0), WeightedMetric(Metric.MANHATTAN, 0.5, vector(0, 0, 1), "image"))
    found = scored(engine, shop, Stage(query=ByMetrics(vector(1, 0), composite=parts), using="text", prefetch=(TEXT,)))
    assert found == pytest.approx({1: 2, 2: 2 * 0.894427 - 0.5, "a-2": 2 * 0.707107 - 0.5}, rel=1e-5)
    everything = scored(engine, shop, Stage(query=ByMetrics(vector(1, 0), composite=parts), using="text"))
    assert set(everything) == {1, 2, 3, 4, 5, "a-2"}, "6 has no image, a-1 no text"


def test_a_negative_weight_turns_a_part_round(engine: Engine, shop: Collection) -> None:
    rank = ByMetrics(vector(1, 0), composite=(WeightedMetric(Metric.EUCLID, -1.0),))
    assert scored(engine, shop, Stage(query=rank, using="text", prefetch=(TEXT,))) == {"a-2": 1, 2: 0.5, 1: 0}


def test_thresholds_and_fusions_know_the_direction(engine: Engine, shop: Collection) -> None:
    far = Stage(query=by(Metric.MANHATTAN, 1, 0), using="text", prefetch=(TEXT,))
    assert list(scored(engine, shop, Stage(query=far.query, using="text", score_threshold=0.5))) == [1, 2]
    fused = scored(engine, shop, Stage(query=Dbsf(), prefetch=(far,)))
    assert list(fused) == [1, 2, "a-2"], "the least distance is best"


@pytest.mark.parametrize(
    ("metric", "mode", "expected"),
    [
        (Metric.ANGULAR, ScoreMode.SIMILARITY, 0.75),
        (Metric.ANGULAR, ScoreMode.DISTANCE, 0.25),
        (Metric.CHEBYSHEV, ScoreMode.SIMILARITY, 0.5),
        (Metric.CHEBYSHEV, ScoreMode.DISTANCE, 1),
        (Metric.MANHATTAN, ScoreMode.SIMILARITY, 0.5),
        (Metric.EUCLID, ScoreMode.DISTANCE, 1),
        (Metric.DOT, ScoreMode.DISTANCE, -1),
        (Metric.COSINE, ScoreMode.SIMILARITY, 0.70710677),
    ],
)
def test_score_modes(engine: Engine, shop: Collection, metric: Metric, mode: ScoreMode, expected: float) -> None:
    found = scored(engine, shop, Stage(query=by(metric, 1, 0), using="text", prefetch=(TEXT,), score_mode=mode))
    assert found["a-2"] == pytest.approx(expected)


def test_a_zero_vector_is_a_query_where_direction_does_not_count(engine: Engine, shop: Collection) -> None:
    for metric in Metric:
        root = Stage(query=by(metric, 0, 0), using="text", prefetch=(TEXT,))
        if metric in (Metric.COSINE, Metric.ANGULAR):
            with pytest.raises(ZeroVector) as caught:
                scored(engine, shop, root)
            assert field_of(caught.value) == "query.rescore.vector"
        else:
            assert len(scored(engine, shop, root)) == 3


PART = WeightedMetric(Metric.DOT)


@pytest.mark.parametrize(
    ("rank", "using", "error", "field"),
    [
        (ByMetrics(vector(1, 0)), "text", InvalidQuery, "metric"),
        (ByMetrics(vector(1, 0), Metric.DOT, (PART,)), "text", InvalidQuery, "composite"),
        (ByMetrics(None, Metric.DOT), "text", InvalidQuery, "vector"),
        (ByMetrics(None, composite=(PART,)), "text", InvalidQuery, "composite[0].vector"),
        (ByMetrics(vector(1), Metric.DOT), "text", DimensionMismatch, "vector"),
        (ByMetrics(vector(), Metric.DOT), "text", EmptyVector, "vector"),
        (ByMetrics(vector(1, NAN), Metric.DOT), "text", NotFinite, "vector"),
        (ByMetrics(StoredVector(""), Metric.DOT), "text", InvalidPointId, "vector.id"),
        (
            ByMetrics(vector(1, 0), composite=(PART, WeightedMetric(Metric.DOT, NAN))),
            "text",
            NotFinite,
            "composite[1].weight",
        ),
        (
            ByMetrics(vector(1, 0), composite=(WeightedMetric(Metric.DOT, -2 * MAX_WEIGHT),)),
            "text",
            InvalidQuery,
            "composite[0].weight",
        ),
        (
            ByMetrics(vector(1, 0), composite=(WeightedMetric(Metric.DOT, using="image"),)),
            "text",
            DimensionMismatch,
            "vector",
        ),
        (
            ByMetrics(composite=(WeightedMetric(Metric.ANGULAR, 1, vector(0, 0)),)),
            "text",
            ZeroVector,
            "composite[0].vector",
        ),
        (ByMetrics(vector(1, 0), composite=(PART,) * (MAX_EXAMPLES + 1)), "text", LimitExceeded, "composite"),
        (
            ByMetrics(vector(1, 0), composite=(WeightedMetric(Metric.DOT, using="x"),)),
            "text",
            SpaceNotFound,
            "composite[0].using",
        ),
        (ByMetrics(vector(1, 0), Metric.DOT), "x", SpaceNotFound, "using"),
        (ByMetrics(vector(1, 0), Metric.DOT), None, AmbiguousSpace, "using"),
        (ByMetrics(StoredVector("a-1"), Metric.DOT), "text", VectorNotFound, None),
        (ByMetrics(StoredVector(99), Metric.DOT), "text", PointNotFound, None),
    ],
)
def test_refused(
    engine: Engine, shop: Collection, rank: ByMetrics, using: str | None, error: type[EngineError], field: str | None
) -> None:
    with pytest.raises(error) as caught:
        scored(engine, shop, Stage(query=rank, using=using))
    if field is not None:
        assert field_of(caught.value) == (field if field == "using" else f"query.rescore.{field}")


def test_a_composite_has_no_distance(engine: Engine, shop: Collection) -> None:
    root = Stage(query=ByMetrics(vector(1, 0), composite=(PART,)), using="text", score_mode=ScoreMode.DISTANCE)
    with pytest.raises(InvalidQuery) as caught:
        scored(engine, shop, root)
    assert field_of(caught.value) == "score_mode"


def test_explain_names_metrics_and_signs(engine: Engine, shop: Collection) -> None:
    parts = (WeightedMetric(Metric.COSINE, 0.7), WeightedMetric(Metric.EUCLID, 0.3, vector(0, 0, 1), "image"))
    rank = ByMetrics(vector(1, 0), composite=parts)
    (answer,) = engine.queries.query(
        shop, [Query(root=Stage(query=rank, using="text", prefetch=(TEXT,)), explain=True)]
    )
    assert answer.explanation is not None
    node = answer.explanation.root.children[0].children[0]
    assert node.operator == "rescore"
    assert node.attributes == {"composite": "+ 0.7 cosine(text) - 0.3 euclid(image)"}
    assert node.distance_computations == 6
