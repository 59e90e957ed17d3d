"""headwater.compat.rushdb: the blocks of RushDB's page run with another import and constructor, and what differs."""

import inspect
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headwater import (
    AmbiguousIndexError,
    Client,
    CollectionNotFoundError,
    EmbedderNotConfiguredError,
    IndexAlreadyExistsError,
)
from headwater.compat.rushdb import NestedDataWarning, RushDB, RushDBError
from tests.e2e.compat import rushdb_blocks as blocks
from tests.support.embedding_server import embedding_server
from tests.support.serving import serving

WAIT_SECONDS = 15.0
Names = dict[str, Any]


class MyEmbedder:
    """Equal texts have equal vectors."""

    def embed(self, text: str) -> list[float]:
        return [float(each) for each in np.random.default_rng(len(text)).normal(size=768)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that has an embedder."""
    folder: Path = tmp_path_factory.mktemp("rushdb")
    with (
        embedding_server() as embedder,
        serving(folder / "data", embedders=embedder.settings(folder, timeout_seconds=5)) as service,
    ):
        yield service.address


@pytest.fixture
def db(server: str) -> Iterator[RushDB]:
    """Without any collection."""
    with RushDB(server) as db:
        for name in db.client.collections.list():
            db.client.collections.delete(name)
        yield db


def run(block: str, names: Names, address: str = "") -> None:
    """Runs a block as it stands, but for the import and the constructor."""
    block = block.replace("from rushdb import", "from headwater.compat.rushdb import")
    exec(block.replace('RushDB("your-api-key")', f"RushDB({address!r})"), names)


def test_the_page_runs_block_by_block(db: RushDB, capsys: pytest.CaptureFixture[str]) -> None:
    names: Names = {"db": db, "my_embedder": MyEmbedder()}
    run(blocks.CREATE, names)
    assert capsys.readouterr().out == "awaiting_vectors\n"
    first = db.records.create("Article", {"title": "no vector yet", "body": "a body"})
    names["ext_index_id"] = names["response"].data["id"]
    run(blocks.UPSERT_VECTORS, names)
    assert [record.id for record in names["records_response"].data] == [first.id]
    assert [index["status"] for index in db.ai.indexes.find().data] == ["ready"]
    run(blocks.INLINE, names)
    assert names["record"].fields == {"title": "Warp drives", "body": "Alcubierre metric..."}

    vector = MyEmbedder().embed("Alcubierre metric...")
    found = db.ai.search({"labels": ["Article"], "propertyName": "body", "queryVector": vector})
    assert [record["title"] for record in found.data] == ["Warp drives", "no vector yet"]
    assert db.ai.indexes.stats(names["ext_index_id"]).data == {"totalRecords": 2, "indexedRecords": 2}


def test_the_blocks_about_two_indexes_of_one_property(db: RushDB) -> None:
    index = {"label": "Article", "propertyName": "body", "sourceType": "external", "dimensions": 3}
    cosine = db.ai.indexes.create({**index, "similarityFunction": "cosine"})
    euclidean = db.ai.indexes.create({**index, "similarityFunction": "euclidean"})
    names: Names = {"db": db, "vec": [3.0, 0.0, 4.0]}
    run(blocks.DISAMBIGUATION, names)
    with pytest.raises(AmbiguousIndexError) as refused:
        run(blocks.AMBIGUOUS, names)
    assert isinstance(refused.value, RushDBError)
    assert len(refused.value.candidates) == 2
    assert [record["title"] for record in db.records.find({"labels": ["Article"]})] == ["Widget"]
    assert db.ai.indexes.stats(cosine.data["id"]).data["indexedRecords"] == 1
    assert db.ai.indexes.stats(euclidean.data["id"]).data["indexedRecords"] == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("label", "Other"),
        ("propertyName", "other"),
        ("sourceType", "managed"),
        ("similarityFunction", "dot"),
        ("dimensions", 4),
    ],
)
def test_an_index_is_the_same_when_all_five_fields_match(db: RushDB, field: str, value: Any) -> None:
    index = {
        "label": "A",
        "propertyName": "p",
        "sourceType": "external",
        "dimensions": 7,
        "similarityFunction": "cosine",
    }
    db.ai.indexes.create(index)
    with pytest.raises(IndexAlreadyExistsError):
        db.ai.indexes.create(index)
    assert db.ai.indexes.create({**index, field: value}).data[field] == value


def test_the_worked_example_and_the_batch(server: str, db: RushDB, capsys: pytest.CaptureFixture[str]) -> None:
    names: Names = {}
    run(blocks.WORKED_EXAMPLE, names, server)
    title, score = capsys.readouterr().out.split()
    assert title == "Alpha"
    assert float(score) == 1.0
    names["db"].close()
    names["db"] = db
    run(blocks.CREATE_MANY, names)
    found = db.ai.search({"labels": ["Doc"], "propertyName": "content", "queryVector": [0, 1, 0], "limit": 3})
    assert [(record["title"], record.score) for record in found.data[:2]] == [("Beta", 1.0), ("Beta", 1.0)]
    assert {record.label for record in found.data} == {"Doc"}


def test_a_managed_and_an_external_index_of_one_property(db: RushDB) -> None:
    run(blocks.MANAGED_AND_EXTERNAL, {"db": db})
    managed, external = db.ai.indexes.find().data
    assert (managed["sourceType"], external["sourceType"]) == ("managed", "external")
    assert external["status"] == "awaiting_vectors"
    vector = [1.0] * 512
    given = [{"propertyName": "description", "vector": vector}]
    db.records.create("Product", {"description": "red shoe"}, vectors=given)
    by_vector = db.ai.search({"labels": ["Product"], "propertyName": "description", "queryVector": vector})
    assert [record["description"] for record in by_vector.data] == ["red shoe"]
    end = time.monotonic() + WAIT_SECONDS
    while not db.ai.indexes.stats(managed["id"]).data["indexedRecords"]:
        assert time.monotonic() < end, "the server does not embed"
    by_text = db.ai.search({"labels": ["Product"], "propertyName": "description", "query": "shoe"})
    assert [record["description"] for record in by_text.data] == ["red shoe"]


def test_the_documented_signature() -> None:
    with RushDB() as db:
        assert list(inspect.signature(db.ai.indexes.upsert_vectors).parameters) == ["index_id", "params"]


def test_no_collection_is_made_when_the_setting_says_so(server: str, db: RushDB) -> None:
    strict = RushDB(db.client, create_collections=False)
    index = {"label": "None", "propertyName": "p", "sourceType": "external", "dimensions": 3}
    for call in (
        lambda: strict.ai.indexes.create(index),
        lambda: strict.records.create("None", {"a": 1}),
        lambda: strict.records.create_many("None", [{"a": 1}]),
        lambda: strict.records.import_json({"None": [{"a": 1}]}),
        lambda: strict.records.find({"where": {"__label": "None"}}),
    ):
        with pytest.raises(CollectionNotFoundError):
            call()
    assert db.client.collections.list() == []
    assert db.records.find({"where": {"__label": "None"}}).data == []
    assert db.client.collections.list() == []


def test_a_wrong_index_or_record_is_told_as_it_is(db: RushDB, client: Client) -> None:
    with pytest.raises(TypeError, match="similarity"):
        db.ai.indexes.create({"label": "A", "propertyName": "p", "similarity": "cosine"})
    with pytest.raises(TypeError, match="'relations'"):
        db.records.find({"relations": {}})
    with pytest.raises(ValueError, match=r"\$xor"):
        db.records.find({"where": {"$xor": []}})
    with pytest.raises(AttributeError, match="attach"):
        db.records.attach("a", "b")
    without_embedder = RushDB(client)
    with pytest.raises(EmbedderNotConfiguredError):
        without_embedder.ai.indexes.create({"label": "compat", "propertyName": "p"})
    client.collections.delete("compat")


def test_find_pages_over_labels_and_says_how_many_match(db: RushDB) -> None:
    db.records.create_many("A", [{"n": n, "name": f"a{n}"} for n in range(5)])
    db.records.create_many("B", [{"n": n, "name": f"b{n}"} for n in range(5)])
    everything = db.records.find()
    assert (everything.total, len(everything), everything.has_more) == (10, 10, False)
    pages = [db.records.find({"limit": 3, "skip": skip}) for skip in range(0, 12, 3)]
    assert [record for page in pages for record in page] == everything.data
    assert [page.has_more for page in pages] == [True, True, True, False]
    some = db.records.find({"labels": ["B", "A"], "where": {"__label": {"$in": ["A"]}, "n": {"$gte": 3}}})
    assert sorted(record["name"] for record in some) == ["a3", "a4"]
    first = everything[0]
    assert db.records.find({"where": {"__id": first.id}}).data == [first]
    assert db.records.find({"where": {"$or": [{"__id": {"$in": [first.id]}}, {"n": 99}]}}).data == [first]
    assert {record["name"] for record in db.records.find({"where": {"name": {"$endsWith": "4"}}})} == {"a4", "b4"}
    ordered = db.records.find({"labels": "A", "orderBy": {"n": "desc"}, "limit": 2, "skip": 1})
    assert ([record["n"] for record in ordered], ordered.total) == ([3, 2], 5)
    assert db.records.find({"limit": 0}).total == 10
    assert db.records.delete_by_id("A", first.id) + db.records.delete_by_id("B", first.id) == 1


def test_an_import_warns_of_nested_data(db: RushDB) -> None:
    with pytest.warns(NestedDataWarning, match="author"):
        (made,) = db.records.import_json({"label": "Post", "data": {"title": "x", "author": {"name": "y"}}})
    assert made.fields == {"title": "x", "author": {"name": "y"}}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        db.records.import_json({"Post": [{"title": "z", "tags": ["a"]}], "Tag": [{"name": "a"}]})
    assert db.records.find({"labels": ["Post", "Tag"]}).total == 3
