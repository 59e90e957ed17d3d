"""The Python of every document in docs/ runs as it stands, against a real server that has the collections it names."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import headwater
from headwater import (
    Client,
    Distance,
    Field,
    PointStruct,
    PrefetchQuery,
    TextIndexParams,
    VectorParams,
)
from tests.support.document_tables import code, table
from tests.support.documents import fences
from tests.support.embedding_server import embedding_server
from tests.support.root import ROOT
from tests.support.serving import serving

DOCS = ROOT / "docs"
SIZE = 384
Names = dict[str, Any]


def shop(client: Client) -> Names:
    """Seven products with vectors in three spaces, and two prefetches over them."""
    spaces = {"text": VectorParams(3), "image": VectorParams(2), "shape": VectorParams(3, Distance.EUCLID)}
    client.collections.create("shop", spaces, text_indexes={"name": TextIndexParams()})
    client.points.upsert("shop", [product(number) for number in range(1, 8)])
    return {
        "points": client.points,
        "texts": PrefetchQuery(query=[1.0, 0.0, 0.0], using="text", limit=50),
        "images": PrefetchQuery(query=[0.6, 0.8], using="image", limit=50, filter=Field("price").lte(150)),
    }


def product(number: int) -> PointStruct:
    payload = {
        "name": "a trail shoe",
        "price": 20 * number,
        "brand": "acme" if number % 2 else "other",
        "in_stock": number % 2 == 0,
        "popularity": number,
        "place": {"lat": 52.0, "lon": 13.0 + number},
    }
    vectors = {"text": [1.0, number, 0.5], "image": [number, 1.0], "shape": [1.0, 2.0, number]}
    return PointStruct(number, vectors, payload)


def groups(client: Client) -> Names:
    client.collections.create("chunks", VectorParams(3))
    client.points.upsert("chunks", [PointStruct(n, [1.0, n, 0.5], {"doc": {"id": n % 3}}) for n in range(9)])
    client.collections.create("documents", VectorParams(1))
    client.points.upsert("documents", [PointStruct(n, [1.0], {"title": f"document {n}"}) for n in range(3)])
    client.collections.create("orders", VectorParams(1))
    client.points.upsert("orders", [PointStruct(1, [1.0], {"country": "CH", "items": [{"price": 3}, {"price": 4}]})])
    client.collections.create("shop", VectorParams(2))
    client.points.upsert("shop", [PointStruct(n, [n, 1.0], {"brand": "acme", "price": n}) for n in range(1, 8)])
    return {"np": np}


def versions(client: Client) -> Names:
    client.collections.create("shop", VectorParams(2))
    return {"points": [PointStruct(1, [1.0, 2.0], {"version": 1})]}


def copies(client: Client) -> Names:
    versions(client)
    client.points.upsert("shop", [PointStruct(1, [1.0, 2.0], {"price": 20})])
    return {}


def articles(client: Client) -> Names:
    client.collections.create("Article")
    client.points.upsert("Article", [PointStruct(1, {}, {"body": "text"})])
    vectors = [[{"propertyName": "body", "vector": np.ones(768)}]]
    return {"vector": np.ones(768), "query": np.ones(768), "rows": [{"body": "another text"}], "vectors": vectors}


def matrices(client: Client) -> Names:
    return {"token_matrix": np.ones((3, 128)), "query_matrix": np.ones((2, 128))}


def texts(client: Client) -> Names:
    client.collections.create("shop", {"text": VectorParams(3)})
    client.points.upsert(
        "shop", [PointStruct(1, {"text": [1, 2, 3]}, {"title": "trail shoe", "body": "for trail running"})]
    )
    return {"vector": [1.0, 0.0, 0.0]}


def vectors(client: Client) -> Names:
    return {"vector": np.ones(SIZE)}


def nothing(client: Client) -> Names:
    return {}


WORLDS: dict[str, Callable[[Client], Names]] = {
    "coming-from.md": nothing,
    "conditional_writes.md": versions,
    "embedding.md": nothing,
    "groups_and_facets.md": groups,
    "index_policies.md": articles,
    "ivf.md": vectors,
    "payload_indexes.md": nothing,
    "queries.md": shop,
    "snapshots.md": copies,
    "sparse_and_multi.md": matrices,
    "text_search.md": texts,
}
"""By document: what makes the collections that its code takes for granted, and gives the names that it does."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("documents")


@pytest.fixture(scope="module")
def addresses(folder: Path) -> Iterator[tuple[str, str]]:
    """Two servers: the second is where copies go."""
    with embedding_server() as embedder:
        embedder.always = wide_embeddings
        settings = embedder.settings(folder)
        settings.write_text(settings.read_text().replace("[words]", "[minilm]"))
        with serving(folder / "data", embedders=settings) as one, serving(folder / "other") as other:
            yield one.address, other.address


def wide_embeddings(request: dict[str, Any]) -> dict[str, Any]:
    """Vectors of SIZE numbers, which differ by the length of the text."""
    vectors = [[1.0] * (SIZE - 1) + [float(len(text))] for text in request["input"]]
    return {"data": [{"index": index, "embedding": vector} for index, vector in enumerate(vectors)]}


def names(client: Client, document: str) -> Names:
    """What the code of a document may use, over a server that holds what it names and nothing else."""
    for collection in client.collections.list():
        client.collections.delete(collection)
    return {
        **{name: getattr(headwater, name) for name in headwater.__all__},
        **WORLDS[document](client),
        "client": client,
    }


def test_every_document_with_python_has_a_world() -> None:
    found = {path.name for path in DOCS.glob("*.md") if any(language == "python" for language, _ in fences(path))}
    assert found == {*WORLDS, "keys.md"}


def test_the_python_of_keys_runs(tmp_path: Path) -> None:
    """On a server of its own, which has keys afterwards."""
    [text] = [text for language, text in fences(DOCS / "keys.md") if language == "python"]
    with serving(tmp_path / "data") as server:
        given: Names = {}
        exec(compile(text.replace("localhost:50051", server.address), "keys.md", "exec"), given)
        assert [key.name for key in given["admin"].keys.list()] == ["root"]
        given["client"].close()
        given["admin"].close()


@pytest.mark.parametrize("document", sorted(WORLDS))
def test_the_python_of_a_document_runs(
    document: str, addresses: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with Client(addresses[0], retries=0) as client, Client(addresses[1], retries=0) as other:
        given = {**names(client, document), "other": other}
        for number, (language, text) in enumerate(fences(DOCS / document)):
            if language == "python":
                here = text.replace("localhost:50051", addresses[0])
                exec(compile(here, f"{document}, block {number + 1}", "exec"), given)


def test_each_way_to_rank_runs_as_it_is_written(addresses: tuple[str, str]) -> None:
    with Client(addresses[0], retries=0) as client:
        given = names(client, "queries.md")
        ways = [code(row[2])[0] for row in table(DOCS / "queries.md", "Other ways to rank")[1:10]]
        for way in ways:
            space: Names = {} if way.startswith(("OrderBy", "Sample", "Formula", "Bm25")) else {"using": "image"}
            prefetch = [given["texts"]] if "$score" in way else []
            assert len(client.points.query("shop", eval(way, given), prefetch=prefetch, limit=3, **space)) == 3, way
