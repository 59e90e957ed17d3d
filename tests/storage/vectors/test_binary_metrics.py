"""Hamming and Jaccard: scores are the oracle's, estimates keep their bounds, and nothing but bits is taken."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from storage.errors import InvalidRequest
from storage.schema import CollectionSchema, Datatype, DenseSpace, Distance, check_space, default_datatype
from storage.vectors import distance
from storage.write.validate import check_query_vector, check_vector, check_vectors
from tests.support.oracle.query import score_of

Rows = NDArray[np.float32]
METRICS = [metric for metric in Distance if metric.is_binary]
BITS = hnp.arrays(
    np.float32,
    hnp.array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=20),
    elements=st.sampled_from([0.0, -0.0, 1.0]),
)


def _estimates(metric: Distance, queries: Rows, rows: Rows) -> tuple[Rows, Rows]:
    return distance.estimate_rows(metric, queries, distance.norms_of(queries), rows, distance.norms_of(rows))


@pytest.mark.parametrize("metric", METRICS)
@given(bits=BITS)
def test_scores_are_the_oracles(metric: Distance, bits: Rows) -> None:
    found = distance.score_rows(metric, bits[0], bits)
    assert found.tolist() == [score_of(metric, bits[0], row) for row in bits]
    assert found[0] == 0
    assert not np.signbit(found).any()


@pytest.mark.parametrize("metric", METRICS)
@given(bits=BITS)
def test_estimates_stay_within_their_bounds(metric: Distance, bits: Rows) -> None:
    guess, bound = _estimates(metric, bits, bits)
    for query, guessed, bounds in zip(bits, guess, np.broadcast_to(bound, guess.shape), strict=True):
        assert (np.abs(guessed + distance.score_rows(metric, query, bits)) <= bounds).all()


def test_estimates_of_the_longest_vectors() -> None:
    """Counts near 65,536: Hamming is exact, and Jaccard within its bound."""
    rows = (np.random.default_rng(1).random((50, 65_536)) < np.linspace(0, 1, 50)[:, None]).astype(np.float32)
    for metric in METRICS:
        guess, bound = _estimates(metric, rows[-3:], rows)
        exact = np.stack([distance.score_rows(metric, query, rows) for query in rows[-3:]])
        assert (np.abs(guess + exact) <= bound).all()
        assert metric is Distance.JACCARD or bound.max() == 0


def test_score_modes() -> None:
    raw = np.array([0, 0.25, 1], np.float32)
    assert distance.similarity(Distance.JACCARD, raw).tolist() == [1, 0.75, 0]
    assert distance.similarity(Distance.HAMMING, np.array([0, 3], np.float32)).tolist() == [1, 0.25]
    for metric in METRICS:
        assert distance.dissimilarity(metric, raw).tolist() == raw.tolist()
        assert not metric.higher_is_better


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("bad", [0.5, -1.0, 2.0])
def test_other_components_are_refused(metric: Distance, bad: float) -> None:
    space = DenseSpace(size=3, distance=metric, datatype=Datatype.BINARY)
    schema = CollectionSchema(spaces={"v": space})
    good, wrong = np.array([0, 1, 1], np.float32), np.array([0, bad, 1], np.float32)
    checks: list[tuple[str, Callable[[], object]]] = [
        ("f", lambda: check_vector(space, wrong, "f")),
        ("q", lambda: check_query_vector(space, wrong, "q")),
        ("p1", lambda: check_vectors(schema, "v", [good, wrong], [0, 1], lambda number: f"p{number}")),
    ]
    for field, check in checks:
        with pytest.raises(InvalidRequest, match=f"component 1 is {bad}") as caught:
            check()
        assert caught.value.field == field
    check_query_vector(space, good, "q")
    check_query_vector(space, 0 * good, "q")
    assert check_vectors(schema, "v", [good, good], [0, 1], str).matrix.shape == (2, 3)


@pytest.mark.parametrize("datatype", Datatype)
@pytest.mark.parametrize("metric", Distance)
def test_which_forms_a_metric_takes(metric: Distance, datatype: Datatype) -> None:
    space = DenseSpace(size=3, distance=metric, datatype=datatype)
    if metric.is_binary and datatype is not Datatype.BINARY:
        with pytest.raises(InvalidRequest) as caught:
            check_space("a", space, "a")
        assert caught.value.field == "a.datatype"
    else:
        check_space("a", space, "a")
    check_space("a", DenseSpace(size=3, distance=metric, datatype=default_datatype(metric)), "a")
