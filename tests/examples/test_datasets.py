"""The shipped data is whole: shapes, lengths and ids of what the examples load, pictures and licences beside it."""

import numpy as np
import pytest
from numpy.typing import NDArray

from examples.datasets import DATA, load_shop, load_wordnet

MEBIBYTE = 2**20


def assert_unit_rows(vectors: NDArray[np.float32], shape: tuple[int, int]) -> None:
    assert vectors.shape == shape
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-6)


def test_wordnet_is_two_thousand_synsets_with_two_vectors_each() -> None:
    data = load_wordnet()
    assert_unit_rows(data.definition, (2000, 384))
    assert_unit_rows(data.lemmas, (2000, 384))
    assert [synset["id"] for synset in data.synsets] == list(range(2000))
    assert all(synset["lemmas"] and synset["definition"] for synset in data.synsets)
    assert len(np.unique(data.definition, axis=0)) > 1900


def test_wordnet_queries_have_their_answer_in_the_sample() -> None:
    data = load_wordnet()
    assert_unit_rows(data.query_vectors, (len(data.queries), 384))
    for query in data.queries:
        assert query["text"] in data.synsets[query["relevant_id"]]["examples"]


def test_wordnet_vectors_belong_to_their_rows() -> None:
    """A definition is near its own lemmas: shifted by one row, the two matrices would not agree like this."""
    data = load_wordnet()
    own = np.sum(data.definition * data.lemmas, axis=1).mean()
    next_row = np.sum(data.definition * np.roll(data.lemmas, 1, axis=0), axis=1).mean()
    assert own > next_row + 0.3


def test_shop_is_ten_products_with_text_and_picture() -> None:
    shop = load_shop()
    assert [product["id"] for product in shop.products] == list(range(1, 11))
    assert_unit_rows(shop.text, (10, 384))
    assert_unit_rows(shop.image, (10, 1280))
    assert_unit_rows(shop.query_text, (len(shop.query_texts), 384))
    assert_unit_rows(shop.query_image, (len(shop.query_images), 1280))
    assert_unit_rows(shop.revised_text[None, :], (1, 384))
    assert shop.revised_id in range(1, 11)


def test_every_picture_is_there() -> None:
    shop = load_shop()
    names = [product["image"] for product in shop.products] + shop.query_images
    for name in names:
        assert (DATA / "shop" / "images" / name).read_bytes().startswith(b"\x89PNG")
    assert len({path.name for path in (DATA / "shop" / "images").iterdir()}) == len(set(names)) == 11


@pytest.mark.parametrize(
    ("folder", "words"),
    [
        ("wordnet", ["WordNet 3.0 Copyright 2006 by Princeton University. All rights reserved.", '"AS IS"']),
        ("shop", ["SIL Open Font License 1.1", "Apache License 2.0"]),
    ],
)
def test_the_licence_is_beside_the_data(folder: str, words: list[str]) -> None:
    text = " ".join((DATA / folder / "README.md").read_text(encoding="utf-8").replace(">", " ").split())
    assert all(word in text for word in words)


def test_the_data_stays_small() -> None:
    assert sum(path.stat().st_size for path in DATA.rglob("*") if path.is_file()) < 4 * MEBIBYTE
