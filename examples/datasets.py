"""Reads the data that the examples ship, as numpy arrays and plain dictionaries. Knows no server and no client."""

import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

DATA = Path(__file__).parent / "data"

Matrix = NDArray[np.float32]
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class WordNet:
    """Synsets of WordNet with two embeddings each, and usage examples as queries. All vectors have unit length.

    Row i of `definition` and `lemmas` (both (n, 384)) belongs to `synsets[i]`, row i of `query_vectors` (m, 384) to
    `queries[i]`, whose `relevant_id` is the id of the synset that the text is an example of.
    """

    synsets: list[Row]
    definition: Matrix
    lemmas: Matrix
    queries: list[Row]
    query_vectors: Matrix


@dataclass(frozen=True, slots=True)
class Shop:
    """Ten products with an embedding of their text (384) and of their picture (1280). All vectors have unit length.

    `query_text[i]` embeds `query_texts[i]`; `query_image[i]` the picture `query_images[i]`. `revised_text` is the
    embedding of product `revised_id` once its description is `revised_description`.
    """

    products: list[Row]
    text: Matrix
    image: Matrix
    query_texts: list[str]
    query_text: Matrix
    query_images: list[str]
    query_image: Matrix
    revised_id: int
    revised_description: str
    revised_text: NDArray[np.float32]


def read_vectors(path: Path) -> Matrix:
    """The rows of a float16 file as float32, normalised again since rounding to float16 changed their length a bit."""
    vectors = np.load(path).astype(np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def read_rows(path: Path) -> list[Row]:
    """The objects of a gzipped file of JSON lines."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def load_wordnet(folder: Path = DATA / "wordnet") -> WordNet:
    """The shipped sample of 2,000 synsets, or another folder of the same layout."""
    return WordNet(
        synsets=read_rows(folder / "points.jsonl.gz"),
        definition=read_vectors(folder / "definition.f16.npy"),
        lemmas=read_vectors(folder / "lemmas.f16.npy"),
        queries=read_rows(folder / "queries.jsonl.gz"),
        query_vectors=read_vectors(folder / "queries.f16.npy"),
    )


def load_shop(folder: Path = DATA / "shop") -> Shop:
    """The ten products of the shop."""
    queries = json.loads((folder / "queries.json").read_text(encoding="utf-8"))
    return Shop(
        products=json.loads((folder / "products.json").read_text(encoding="utf-8")),
        text=read_vectors(folder / "text.f16.npy"),
        image=read_vectors(folder / "image.f16.npy"),
        query_texts=queries["texts"],
        query_text=read_vectors(folder / "query_text.f16.npy"),
        query_images=queries["images"],
        query_image=read_vectors(folder / "query_image.f16.npy"),
        revised_id=queries["revision"]["id"],
        revised_description=queries["revision"]["description"],
        revised_text=read_vectors(folder / "revision_text.f16.npy")[0],
    )
