"""The tour of `examples/multimodel.py`: every step against numpy, and the whole as a process."""

import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from examples import multimodel
from examples.datasets import Shop, load_shop
from examples.own_server import own_server
from examples.report import WIDTH
from headwater import Client, Distance, Rrf, ScoredPoint
from tests.examples import reference
from tests.examples.reference import Ranking
from tests.support.root import ROOT
from tests.support.server_process import environment

SECONDS = 120


@dataclass(frozen=True)
class Tour:
    """What each step returned, by the name of its function."""

    address: str
    shop: Shop
    found: dict[str, Any]


@pytest.fixture(scope="module")
def tour() -> Iterator[Tour]:
    shop = load_shop()
    with own_server() as address, multimodel.connect(address) as client:
        yield Tour(address, shop, {step.__name__: step(client, shop) for step in multimodel.STEPS})


def both(shop: Shop, limit: int = 10, keep: reference.Keep = lambda row: True) -> list[Ranking]:
    return [
        reference.nearest(shop.text, shop.query_text[0], limit, keep),
        reference.nearest(shop.image, shop.query_image[0], limit, keep),
    ]


def affordable(shop: Shop) -> reference.Keep:
    return lambda row: bool(shop.products[row]["price"] <= 170 and shop.products[row]["in_stock"])


def assert_ranking(hits: Sequence[ScoredPoint], expected: Ranking) -> None:
    """Ids in order and scores; ids are rows + 1."""
    assert [hit.id for hit in hits] == [row + 1 for row, _ in expected]
    assert [hit.score for hit in hits] == pytest.approx([score for _, score in expected], abs=1e-6)


def test_create_makes_both_spaces(tour: Tour) -> None:
    spaces = tour.found["create"].vectors
    assert {name: space.params.size for name, space in spaces.items()} == {"text": 384, "image": 1280}
    assert {space.params.distance for space in spaces.values()} == {Distance.Cosine}
    graphs = {name: space.params.hnsw_config for name, space in spaces.items()}
    assert (graphs["text"].m, graphs["text"].ef_construct) == (16, 100)
    assert (graphs["image"].m, graphs["image"].ef_construct) == (32, 200)


def test_ingest_brings_all_products(tour: Tour) -> None:
    assert tour.found["ingest"] == 10


def test_search_text(tour: Tour) -> None:
    hits = tour.found["search_text"]
    assert_ranking(hits, reference.nearest(tour.shop.text, tour.shop.query_text[0], 5))
    assert hits[0].payload == tour.shop.products[hits[0].id - 1]


def test_search_image(tour: Tour) -> None:
    assert_ranking(tour.found["search_image"], reference.nearest(tour.shop.image, tour.shop.query_image[0], 5))


def test_fuse(tour: Tour) -> None:
    assert_ranking(tour.found["fuse"], reference.by_rank(both(tour.shop))[:5])


def test_compare_fusions(tour: Tour) -> None:
    ranks, scores = tour.found["compare_fusions"]
    assert_ranking(ranks, reference.by_rank(both(tour.shop))[:5])
    assert_ranking(scores, reference.by_score(both(tour.shop))[:5])
    assert [hit.id for hit in ranks] != [hit.id for hit in scores], "the comparison must show a difference"


def test_filter_after_fusion_leaves_fewer(tour: Tour) -> None:
    hits = tour.found["filter_after_fusion"]
    assert_ranking(hits, reference.gate(reference.by_rank(both(tour.shop, 4)), affordable(tour.shop))[:5])
    matching = sum(map(affordable(tour.shop), range(10)))
    assert 0 < len(hits) < matching


def test_filter_before_fusion_fills_up(tour: Tour) -> None:
    hits = tour.found["filter_before_fusion"]
    assert_ranking(hits, reference.by_rank(both(tour.shop, 4, affordable(tour.shop)))[:5])
    assert len(hits) > len(tour.found["filter_after_fusion"])


def test_sweep_alpha(tour: Tour) -> None:
    fused = tour.found["sweep_alpha"]
    assert list(fused) == [0.0, 0.25, 0.5, 0.75, 1.0]
    for alpha, hits in fused.items():
        assert_ranking(hits, reference.by_rank(both(tour.shop), weights=[1 - alpha, alpha])[:3])
    assert fused[0.0][0].id == tour.found["search_text"][0].id
    assert fused[1.0][0].id == tour.found["search_image"][0].id


def test_search_batch(tour: Tour) -> None:
    answers = tour.found["search_batch"]
    assert len(answers) == len(tour.shop.query_texts)
    for hits, query in zip(answers, tour.shop.query_text, strict=True):
        assert_ranking(hits, reference.nearest(tour.shop.text, query, 2))


def test_select_parts(tour: Tour) -> None:
    hits, records = tour.found["select_parts"]
    product = tour.shop.products[hits[0].id - 1]
    assert hits[0].payload == {"name": product["name"], "price": product["price"]}
    assert list(hits[0].vectors) == ["text"]
    np.testing.assert_array_equal(hits[0].vectors["text"], tour.shop.text[hits[0].id - 1])
    left_out = {"description", "image", "colors"}
    assert records[0].payload == {key: value for key, value in product.items() if key not in left_out}


def revised(shop: Shop) -> np.ndarray[Any, np.dtype[np.float32]]:
    text = shop.text.copy()
    text[shop.revised_id - 1] = shop.revised_text
    return text


def test_update_vector_changes_the_ranking(tour: Tour) -> None:
    before, after = tour.found["update_vector"]
    assert_ranking(before, reference.nearest(tour.shop.text, tour.shop.query_text[1], 2))
    assert_ranking(after, reference.nearest(revised(tour.shop), tour.shop.query_text[1], 2))
    assert before[0].id != after[0].id == tour.shop.revised_id
    assert after[0].payload["description"] == tour.shop.revised_description
    assert after[0].payload["name"] == tour.shop.products[tour.shop.revised_id - 1]["name"]


def after_revision(shop: Shop, limit: int = 10) -> list[Ranking]:
    return [
        reference.nearest(revised(shop), shop.query_text[0], limit),
        reference.nearest(shop.image, shop.query_image[0], limit),
    ]


def test_rerank(tour: Tour) -> None:
    fused = reference.by_rank(after_revision(tour.shop))[:4]
    assert_ranking(tour.found["rerank"], reference.rerank(fused, tour.shop.image, tour.shop.query_image[0]))


def test_tune_stages(tour: Tour) -> None:
    hits, explanation = tour.found["tune_stages"]
    assert_ranking(hits, reference.by_rank(after_revision(tour.shop, 5))[:5])
    assert explanation.analyzed
    assert {"text", "image"} <= {space for node in explanation.root for space in node.attributes.values()}
    assert [hit.id for hit in explanation.hits] == [hit.id for hit in hits]


def test_inspect(tour: Tour) -> None:
    info, by_brand = tour.found["inspect"]
    assert info.points_count == 10
    assert {name: space.vectors_count for name, space in info.vectors.items()} == {"text": 10, "image": 10}
    brands = [product["brand"] for product in tour.shop.products]
    assert by_brand == {brand: brands.count(brand) for brand in brands}


def test_clean_up(tour: Tour) -> None:
    assert tour.found["clean_up"] is False


def test_client_fusion_equals_the_server(tour: Tour) -> None:
    """What the ninth step says: weights found in the client may move to the server."""
    with Client(tour.address) as client:
        multimodel.create(client, tour.shop)
        multimodel.ingest(client, tour.shop)
        fused = multimodel.sweep_alpha(client, tour.shop)
        for alpha, hits in fused.items():
            answer = client.points.query(
                multimodel.COLLECTION,
                prefetch=multimodel.both(tour.shop),
                query=Rrf(weights=[1 - alpha, alpha]),
                limit=3,
            )
            assert [(hit.id, hit.score) for hit in answer] == [(hit.id, hit.score) for hit in hits]
        multimodel.clean_up(client, tour.shop)


def test_the_whole_tour_prints_seventeen_steps(tour: Tour) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "examples.multimodel", "--address", tour.address],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    headings = re.findall(r"^(\d+)\. \S.*\n─+$", done.stdout, flags=re.MULTILINE)
    assert headings == [str(number) for number in range(1, 18)]
    assert max(map(len, done.stdout.splitlines())) <= WIDTH
