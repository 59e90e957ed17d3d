"""Fusion on the client gives what the server gives for the same lists: ids, order, scores."""

from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headwater import (
    Client,
    Dbsf,
    Distance,
    Hits,
    PointStruct,
    PrefetchQuery,
    Rrf,
    ScoredPoint,
    VectorParams,
    distribution_based_score_fusion,
    reciprocal_rank_fusion,
)

METRICS = {"cos": Distance.Cosine, "dot": Distance.Dot, "euclid": Distance.Euclid, "man": Distance.Manhattan}
COUNT, SIZE = 80, 3


@pytest.fixture(scope="module")
def shop(client: Client) -> Iterator[str]:
    """Vectors of few values, so that scores tie; each space lacks some points; ids of both kinds."""
    name = "client fusion"
    client.collections.create(name, {space: VectorParams(SIZE, metric) for space, metric in METRICS.items()})
    generator = np.random.default_rng(3)
    points = []
    for n in range(COUNT):
        vectors = {space: generator.integers(-2, 3, SIZE) for space in METRICS if generator.random() < 0.8}
        points.append(PointStruct(n if n % 2 else str(n), vectors))
    client.points.upsert(name, points)
    yield name
    client.collections.delete(name)


VECTORS = st.lists(st.integers(-2, 2), min_size=SIZE, max_size=SIZE).filter(any)
LEAVES = st.builds(PrefetchQuery, VECTORS, st.sampled_from(sorted(METRICS)), st.sampled_from([1, 2, 5, 30, COUNT]))
LISTS = st.lists(LEAVES, min_size=1, max_size=4)
WEIGHTS = st.sampled_from([0.0, 0.1, 0.3, 1.0, 2.5, 7.0])
LIMITS = st.sampled_from([1, 3, 10, 200])


DEPTH = 100
"""Of a prefetch without a limit."""


def lists_of(client: Client, name: str, leaves: Sequence[PrefetchQuery]) -> list[Hits]:
    return client.points.query_batch(
        name, [{"query": leaf.query, "using": leaf.using, "limit": leaf.limit or DEPTH} for leaf in leaves]
    )


def ranking(hits: Sequence[ScoredPoint]) -> list[tuple[int | str, float]]:
    return [(hit.id, hit.score) for hit in hits]


def weights_for(data: st.DataObject, leaves: Sequence[PrefetchQuery]) -> list[float] | None:
    drawn = data.draw(st.none() | st.lists(WEIGHTS, min_size=len(leaves), max_size=len(leaves)))
    return drawn if drawn and any(drawn) else None


@given(st.data(), LISTS, LIMITS, st.sampled_from([0.0, 1.0, 60.0, 0.5]))
@settings(max_examples=40)
def test_rank_fusion(
    client: Client, shop: str, data: st.DataObject, leaves: list[PrefetchQuery], limit: int, k: float
) -> None:
    weights = weights_for(data, leaves)
    served = client.points.query(shop, Rrf(k, weights), prefetch=leaves, limit=limit)
    fused = reciprocal_rank_fusion(lists_of(client, shop, leaves), limit, k, weights)
    assert ranking(fused) == ranking(served)
    assert fused == list(served)


@given(st.data(), LISTS, LIMITS)
@settings(max_examples=40)
def test_score_fusion(client: Client, shop: str, data: st.DataObject, leaves: list[PrefetchQuery], limit: int) -> None:
    weights = weights_for(data, leaves)
    served = client.points.query(shop, Dbsf(weights), prefetch=leaves, limit=limit)
    directions = [METRICS[leaf.using or ""].higher_is_better for leaf in leaves]
    fused = distribution_based_score_fusion(lists_of(client, shop, leaves), limit, weights, directions)
    assert ranking(fused) == ranking(served)
    assert all(0 <= hit.score <= 1 for hit in fused)


def test_the_defaults_are_the_servers(client: Client, shop: str) -> None:
    leaves = [PrefetchQuery([1, 2, 0], "cos"), PrefetchQuery([0, 1, 1], "dot")]
    lists = lists_of(client, shop, leaves)
    assert reciprocal_rank_fusion(lists) == list(client.points.query(shop, Rrf(), prefetch=leaves))
    assert distribution_based_score_fusion(lists) == list(client.points.query(shop, Dbsf(), prefetch=leaves))
