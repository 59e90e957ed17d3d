"""Searches of IVF spaces with everything that may be asked of one: filters of every share, oversampling, bounds."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest

import headwater
from headwater import (
    Client,
    Field,
    FilterLike,
    FilterStrategy,
    IvfConfig,
    PointStruct,
    PrefetchQuery,
    QuantizationSearchParams,
    SearchParams,
    VectorParams,
)
from tests.support.server_process import running_server

SIZE = 32
COUNT = 8_000
LISTS = 40
MAX_SCAN = 2_000
LIMIT = 10
RANDOM = np.random.default_rng(21)
CENTRES = RANDOM.standard_normal((50, SIZE)) * 1.2
LABELS = RANDOM.integers(0, 50, COUNT)
VECTORS = (CENTRES[LABELS] + RANDOM.standard_normal((COUNT, SIZE))).astype(np.float32)
QUERIES = (CENTRES[RANDOM.integers(0, 50, 15)] + RANDOM.standard_normal((15, SIZE))).astype(np.float32)
SHARES = (0.01, 0.1, 0.5, 0.9)
COSINES = QUERIES @ VECTORS.T / np.linalg.norm(VECTORS, axis=1)
KEPT = {3: 0.85, 8: 0.9, 25: 0.99}
"""By lists read, how much of the recall without a filter is left with one. Few lists tell little of how far the best
rows are spread."""


@dataclass(frozen=True)
class Served:
    free: Client
    bounded: Client
    """Of a server that scans at most MAX_SCAN rows for a search."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    options = ["--max-scan", str(MAX_SCAN)]
    folder = tmp_path_factory.mktemp("ivf")
    with (
        running_server(folder / "free") as free,
        running_server(folder / "bounded", options=options) as bounded,
        Client(free) as client,
        Client(bounded) as bounded_client,
    ):
        for each in (client, bounded_client):
            _create(each)
        yield Served(client, bounded_client)


def _create(client: Client) -> None:
    params = VectorParams(SIZE, index="ivf", ivf_config=IvfConfig(lists=LISTS))
    optimizers = {"indexing_threshold": 100_000, "auto_index": False}  # one segment, whatever the time it takes
    client.collections.create("c", params, optimizers_config=optimizers)
    places = np.argsort(np.argsort(RANDOM.random(COUNT)))
    by_cluster = np.argsort(np.argsort(LABELS, kind="stable"))
    points = [
        PointStruct(number, row, {"random": int(places[number]), "clustered": int(by_cluster[number])})
        for number, row in enumerate(VECTORS)
    ]
    for start in range(0, COUNT, 1_000):  # one after the other, since lists depend on the order of the rows
        client.points.upsert("c", points[start : start + 1_000])
    client.vde.optimize("c")


def _ids(client: Client, query: np.ndarray, condition: FilterLike | None, params: SearchParams) -> set[object]:
    hits = client.points.search("c", query, filter=condition, limit=LIMIT, params=params, with_payload=False)
    return {hit.id for hit in hits}


def _matches(kind: str, share: float, query: int) -> FilterLike:
    count = max(1, int(share * COUNT))
    if kind == "opposite":
        return headwater.has_id(np.argsort(COSINES[query])[:count].tolist())
    return Field(kind).lt(count)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["random", "clustered", "opposite"])
@pytest.mark.parametrize("share", SHARES)
def test_filters_recall_as_searches_without_do(served: Served, kind: str, share: float) -> None:
    client, wanted = served.free, min(LIMIT, int(share * COUNT))
    exact = SearchParams(exact=True)
    for nprobe, kept in KEPT.items():
        free = with_filter = without = 0
        for number, query in enumerate(QUERIES):
            condition = _matches(kind, share, number)
            truth = _ids(client, query, condition, exact)
            for strategy in (None, FilterStrategy.Post):
                params = SearchParams(ivf_nprobe=nprobe, filter_strategy=strategy)
                found = _ids(client, query, condition, params)
                assert len(found) == wanted
                with_filter += len(found & truth)
            free += len(_ids(client, query, None, SearchParams(ivf_nprobe=nprobe)) & _ids(client, query, None, exact))
            without += LIMIT
        assert with_filter / (2 * wanted * len(QUERIES)) >= kept * free / without, f"nprobe {nprobe}"


def test_oversampling_and_rescoring(served: Served) -> None:
    def recall(**options: float | bool) -> float:
        quantization = QuantizationSearchParams(**options)  # type: ignore[arg-type]
        params = SearchParams(ivf_nprobe=LISTS, quantization=quantization)
        exact = SearchParams(exact=True)
        found = [
            len(_ids(served.free, query, None, params) & _ids(served.free, query, None, exact)) for query in QUERIES
        ]
        return sum(found) / (LIMIT * len(QUERIES))

    assert recall(oversampling=4.0) == 1.0
    assert 0.9 <= recall(rescore=False) <= 1.0
    assert recall(rescore=False, oversampling=1.0) <= recall(oversampling=4.0)
    hits = served.free.points.search(
        "c", QUERIES[0], params=SearchParams(quantization=QuantizationSearchParams(rescore=False))
    )
    scores = [hit.score for hit in hits]
    assert scores == sorted(scores, reverse=True)
    truth = {number: float(COSINES[0][number] / np.linalg.norm(QUERIES[0])) for number in range(COUNT)}
    assert all(abs(hit.score - truth[int(hit.id)]) < 1e-5 for hit in hits), "scores are exact all the same"


def test_rows_that_no_list_holds_yet(served: Served) -> None:
    """Of a tail all rows are found, unless only indexed ones are asked for; `exact` reads no list."""
    client, target = served.free, np.full(SIZE, 9, np.float32)
    new = [100_000, 100_001]
    client.points.upsert("c", [PointStruct(number, target, {}) for number in new])
    try:
        assert {hit.id for hit in client.points.search("c", target, limit=2)} == set(new)
        indexed = client.points.search("c", target, limit=5, params=SearchParams(indexed_only=True))
        assert len(indexed) == 5
        assert not {hit.id for hit in indexed} & set(new)
        assert {hit.id for hit in client.points.search("c", target, limit=2, params=SearchParams(exact=True))} == set(
            new
        )
        few = headwater.has_id(new)
        assert len(client.points.search("c", target, filter=few, limit=5)) == 2
    finally:
        client.points.delete("c", new)


def test_deleted_rows_do_not_shorten_answers(served: Served) -> None:
    """All rows of the lists nearest to a query are deleted: it finds what is farther away."""
    client = served.free
    near = np.argsort(-COSINES[0])[:1_500].tolist()
    client.vde.clone_collection("c", "holes")
    client.points.delete("holes", near)
    hits = client.points.search("holes", QUERIES[0], limit=20, params=SearchParams(ivf_nprobe=2))
    assert len(hits) == 20
    assert not {hit.id for hit in hits} & set(near)
    client.collections.delete("holes")


def test_bounds_on_scans_hold_in_every_stage(served: Served) -> None:
    client, query = served.bounded, QUERIES[0]
    assert len(client.points.search("c", query)) == LIMIT
    assert len(client.points.search("c", query, filter=Field("random").lt(COUNT // 2))) == LIMIT
    assert len(client.points.search("c", query, filter=Field("random").lt(MAX_SCAN - 1))) == LIMIT
    exact = SearchParams(exact=True)
    refused = [
        {"query": query, "params": exact},
        {"prefetch": PrefetchQuery(query, params=exact, limit=20), "query": QUERIES[1]},
        {
            "prefetch": [PrefetchQuery(query, limit=20), PrefetchQuery(QUERIES[1], limit=20, params=exact)],
            "query": headwater.Fusion.RRF,
        },
        {"prefetch": PrefetchQuery(prefetch=PrefetchQuery(query, limit=50, params=exact), query=query), "query": query},
        {"query": query, "params": exact, "filter": Field("random").lt(MAX_SCAN + 100)},
        {
            "query": query,
            "params": SearchParams(filter_strategy=FilterStrategy.Pre),
            "filter": Field("clustered").lt(MAX_SCAN + 100),
        },
    ]
    for arguments in refused:
        with pytest.raises(headwater.ScanTooLargeError) as error:
            client.points.query("c", limit=LIMIT, **arguments)
        assert error.value.metadata["maximum"] == str(MAX_SCAN)
    allowed = [
        {"prefetch": PrefetchQuery(query, limit=200), "query": QUERIES[1]},
        {"query": query, "params": exact, "filter": Field("random").lt(MAX_SCAN)},
        {
            "prefetch": PrefetchQuery(query, limit=50, filter=Field("random").lt(1_000)),
            "query": headwater.Fusion.RRF,
        },
    ]
    for arguments in allowed:
        assert len(client.points.query("c", limit=LIMIT, **arguments)) == LIMIT
