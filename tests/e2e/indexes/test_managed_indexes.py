"""Indexes whose vectors the server makes, with an embedder that is a real HTTP server."""

import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headwater import (
    AmbiguousIndexError,
    Client,
    EmbedderFailedError,
    EmbedderUnavailableError,
    Index,
    IndexAlreadyExistsError,
    InvalidArgumentError,
    PointStruct,
    PointVectors,
    VectorParamsDiff,
)
from tests.support.embedding_server import (
    DIMENSIONS,
    EmbeddingServer,
    Reply,
    embedding_server,
    embeddings,
    vector_of,
)
from tests.support.server_process import doomed_server, running_server
from tests.support.serving import serving

WAIT_SECONDS = 15.0


@pytest.fixture(scope="module")
def running() -> Iterator[EmbeddingServer]:
    with embedding_server() as server:
        yield server


@pytest.fixture
def words(running: EmbeddingServer) -> EmbeddingServer:
    """The server of the embedder `words`, as if it were new."""
    running.script.clear()
    running.always = None
    running.requests.clear()
    return running


@pytest.fixture(scope="module")
def managed_client(running: EmbeddingServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("managed")
    settings = running.settings(folder, retries=0, timeout_seconds=2, cache_bytes=0)
    with serving(folder / "data", embedders=settings) as service, Client(service.address, retries=0) as client:
        yield client


@pytest.fixture
def label(managed_client: Client, words: EmbeddingServer, name: str) -> str:
    managed_client.collections.create(name)
    return name


def wait_until(holds: Callable[[], object]) -> None:
    end = time.monotonic() + WAIT_SECONDS
    while not holds():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.01)


def wait_until_ready(client: Client, index: Index) -> None:
    wait_until(lambda: client.indexes.get(index).status == "ready")


def make(client: Client, label: str, **changed: Any) -> Index:
    arguments = {"property_name": "text", "source_type": "managed", **changed}
    return client.indexes.create(label=label, **arguments)


def embedded(client: Client, index: Index) -> dict[Any, list[float]]:
    """The vectors in the space of an index, by id."""
    points = client.points.scroll_all(index.label, with_vectors=[index.space])
    return {point.id: point.vectors[index.space].tolist() for point in points if index.space in point.vectors}


def rounded(texts: dict[Any, str]) -> dict[Any, list[float]]:
    return {point_id: np.array(vector_of(text), np.float32).tolist() for point_id, text in texts.items()}


def test_what_is_there_is_embedded_and_what_follows_too(
    managed_client: Client, words: EmbeddingServer, label: str
) -> None:
    client = managed_client
    client.records.create_many(label, [{"text": "red shoe"}, {"text": "blue boot"}, {"other": 1}], ids=[1, 2, 3])
    index = make(client, label)
    assert (index.status, index.dimensions, index.embedder) == ("pending", DIMENSIONS, "words")
    wait_until_ready(client, index)
    assert embedded(client, index) == rounded({1: "red shoe", 2: "blue boot"})
    client.records.create(label, {"text": "red watch"}, id=4)
    client.records.upsert(label, {"text": "trail"}, id=2)
    client.points.set_payload(label, {"text": "blue"}, ids=[3])
    wait_until_ready(client, index)
    texts = {1: "red shoe", 2: "trail", 3: "blue", 4: "red watch"}
    assert embedded(client, index) == rounded(texts)
    stats = client.indexes.stats(index)
    assert (stats.total, stats.indexed, stats.pending) == (4, 4, 0)
    hits = client.indexes.search(labels=label, property_name="text", query="red shoe", limit=2)
    assert ([hit.id for hit in hits], hits.coverage) == ([1, 4], 1)


def test_vectors_go_with_their_texts(managed_client: Client, label: str) -> None:
    client = managed_client
    index = make(client, label)
    payloads: list[Any] = [{"text": "red"}, {"text": "blue"}, {"text": "boot"}, {"text": "shoe"}, {"text": "watch"}]
    client.points.upsert(label, [PointStruct(number, {}, payload) for number, payload in enumerate(payloads)])
    wait_until_ready(client, index)
    client.points.delete_payload(label, ["text"], ids=[0])
    client.points.overwrite_payload(label, {"text": 5}, ids=[1])
    client.points.clear_payload(label, ids=[2])
    client.points.delete(label, ids=[3])
    client.points.upsert(label, [PointStruct(4, {}, {"text": "  "})])
    wait_until_ready(client, index)
    assert embedded(client, index) == {}
    stats = client.indexes.stats(index)
    assert (stats.total, stats.indexed) == (0, 0)


def test_texts_in_lists_and_in_objects(managed_client: Client, label: str) -> None:
    client = managed_client
    lists, nested = make(client, label, property_name="tags"), make(client, label, property_name="author.bio")
    client.records.create(label, {"tags": ["red", 5, None, "boot"], "author": {"bio": "blue watch"}}, id=1)
    client.records.create(label, {"tags": [], "author": "red"}, id=2)
    for index in (lists, nested):
        wait_until_ready(client, index)
    assert embedded(client, lists) == rounded({1: "red boot"})
    assert embedded(client, nested) == rounded({1: "blue watch"})
    assert client.indexes.stats(lists).total == client.indexes.stats(nested).total == 1


def test_nothing_is_embedded_twice(managed_client: Client, words: EmbeddingServer, label: str) -> None:
    client = managed_client
    index = make(client, label)
    client.records.create_many(label, [{"text": f"red {number}"} for number in range(600)], ids=range(600))
    wait_until_ready(client, index)
    client.points.set_payload(label, {"other": 1}, ids=[1, 2, 3])
    client.points.update_vectors(label, [PointVectors(4, {index.space: [1] * DIMENSIONS})])
    wait_until_ready(client, index)
    texts = [text for batch in words.texts for text in batch if text != "dimensions"]
    assert sorted(texts) == sorted(f"red {number}" for number in range(600))
    assert max(map(len, words.texts)) <= 256
    assert len(embedded(client, index)) == 600


def test_a_text_that_changes_while_it_is_embedded(managed_client: Client, words: EmbeddingServer, label: str) -> None:
    """The slow answer for the old text must not be written to the new one, not even for a while."""
    client = managed_client
    index = make(client, label)
    wait_until_ready(client, index)

    def slow(request: dict[str, Any]) -> Any:
        time.sleep(0.4)
        return embeddings(request)

    words.always = slow
    client.records.create_many(label, [{"text": "red"}, {"text": "boot"}, {"text": "shoe"}], ids=[1, 2, 3])
    wait_until(lambda: any("shoe" in batch for batch in words.texts))
    client.points.set_payload(label, {"text": "blue"}, ids=[1])
    client.points.delete(label, ids=[2])
    wait_until(lambda: any("blue" in batch for batch in words.texts))
    assert embedded(client, index) == rounded({3: "shoe"})
    wait_until_ready(client, index)
    assert embedded(client, index) == rounded({1: "blue", 3: "shoe"})


def test_it_follows_many_writes_of_every_kind(managed_client: Client, label: str) -> None:
    """Against a dict, and the only rule: in the end every text has its vector, and nothing else has one."""
    client, rng, model = managed_client, random.Random(5), dict[int, str]()
    index = make(client, label)
    vocabulary = ["red", "blue", "boot", "shoe", "watch", "trail", " "]
    for _ in range(150):
        point_id, text = rng.randrange(40), " ".join(rng.choices(vocabulary, k=rng.randrange(1, 4)))
        match rng.randrange(5):
            case 0 | 1:
                client.points.upsert(label, [PointStruct(point_id, {}, {"text": text})], wait=rng.random() < 0.5)
                model[point_id] = text
            case 2:
                client.points.delete(label, ids=[point_id])
                model.pop(point_id, None)
            case 3 if point_id in model:
                client.points.set_payload(label, {"text": text}, ids=[point_id])
                model[point_id] = text
            case 4 if point_id in model:
                client.points.delete_vectors(label, [index.space], ids=[point_id])
    client.vde.flush(label)
    wait_until_ready(client, index)
    assert embedded(client, index) == rounded({key: text.strip() for key, text in model.items() if text.strip()})


def test_searching_is_never_refused(managed_client: Client, words: EmbeddingServer, label: str) -> None:
    client = managed_client
    client.records.create_many(label, [{"text": "red"}, {"text": "boot"}], ids=[1, 2])
    words.script.append(lambda request: {"data": [{"index": 0, "embedding": vector_of("red")}]})  # the probe
    words.always = Reply(delay=0.5, status=503)
    index = make(client, label)
    wait_until(lambda: client.indexes.get(index).status == "indexing")
    hits = client.indexes.search(labels=label, property_name="text", query_vector=vector_of("red"))
    assert (hits, hits.coverage, hits.stats[0].pending) == ([], 0, 2)
    words.always = None
    wait_until_ready(client, index)
    wait_until(lambda: client.indexes.search(labels=label, property_name="text", query="red").coverage == 1)


def test_one_that_fails_again_and_again_gives_up_until_it_is_rearmed(
    managed_client: Client, words: EmbeddingServer, label: str
) -> None:
    client = managed_client
    index = make(client, label)
    wait_until_ready(client, index)
    words.requests.clear()
    words.always = Reply(503, parts=(b"model is loading",))
    client.records.create(label, {"text": "red"}, id=1)
    wait_until(lambda: client.indexes.get(index).status == "error")
    assert "model is loading" in client.indexes.get(index).error
    tried = len(words.requests)
    assert tried == 3
    client.records.create(label, {"text": "blue"}, id=2)
    time.sleep(0.1)
    assert (client.indexes.get(index).status, len(words.requests)) == ("error", tried)
    assert client.indexes.stats(index).pending == 2
    assert client.indexes.search(labels=label, property_name="text", query_vector=vector_of("red")) == []
    words.always = None
    assert client.indexes.rearm(index).status != "error"
    wait_until_ready(client, index)
    assert embedded(client, index) == rounded({1: "red", 2: "blue"})


def test_a_short_failure_passes(managed_client: Client, words: EmbeddingServer, label: str) -> None:
    client = managed_client
    index = make(client, label)
    wait_until_ready(client, index)
    words.script.extend([Reply(503), Reply(500)])
    client.records.create(label, {"text": "red"}, id=1)
    wait_until_ready(client, index)
    assert embedded(client, index) == rounded({1: "red"})


def test_an_embedder_that_changes_its_mind(managed_client: Client, words: EmbeddingServer, label: str) -> None:
    """Vectors of another length are refused, and say so."""
    client = managed_client
    index = make(client, label)
    words.always = lambda request: {"data": [{"index": 0, "embedding": [1.0, 2.0]}]}
    client.records.create(label, {"text": "red"}, id=1)
    wait_until(lambda: client.indexes.get(index).status == "error")
    assert "2 dimensions" in client.indexes.get(index).error
    assert embedded(client, index) == {}


def test_taking_the_embedder_away_and_giving_it_back(
    managed_client: Client, words: EmbeddingServer, label: str
) -> None:
    client = managed_client
    index = make(client, label)
    client.collections.update(label, update_vectors={index.space: VectorParamsDiff(embedder="")})
    client.records.create(label, {"text": "red"}, id=1)
    wait_until(lambda: client.indexes.get(index).status == "error")
    client.collections.update(label, update_vectors={index.space: VectorParamsDiff(embedder="words")})
    wait_until_ready(client, index)
    assert embedded(client, index) == rounded({1: "red"})


def test_a_managed_index_that_cannot_be(managed_client: Client, words: EmbeddingServer, label: str) -> None:
    client = managed_client
    with pytest.raises(InvalidArgumentError) as raised:
        make(client, label, dimensions=5)
    assert raised.value.field == "dimensions"
    words.always = Reply(503)
    with pytest.raises(EmbedderUnavailableError):
        make(client, label)
    words.always = Reply(401)
    with pytest.raises(EmbedderFailedError):
        make(client, label)
    words.always = None
    assert client.indexes.list(label) == []
    index = make(client, label, dimensions=DIMENSIONS)
    with pytest.raises(IndexAlreadyExistsError):
        make(client, label)
    with pytest.raises(InvalidArgumentError, match="managed"):
        client.indexes.upsert_vectors(index, [(1, [1] * DIMENSIONS)])


def test_managed_and_external_stand_on_one_property(managed_client: Client, words: EmbeddingServer, label: str) -> None:
    client = managed_client
    managed = make(client, label)
    external = make(client, label, source_type="external", dimensions=DIMENSIONS)
    both = make(client, label, source_type="external", dimensions=3, embedder="words")
    assert {managed.source_type, external.source_type} == {"managed", "external"}
    record = client.records.create(
        label, {"text": "red"}, vectors=[{"propertyName": "text", "vector": [1] * DIMENSIONS}]
    )
    wait_until_ready(client, managed)
    assert embedded(client, managed) == rounded({record.id: "red"})
    assert embedded(client, external) == {record.id: [1] * DIMENSIONS}
    asked: dict[str, Any] = {"labels": label, "property_name": "text", "query_vector": [1] * DIMENSIONS}
    with pytest.raises(AmbiguousIndexError):
        client.indexes.search(**asked)
    assert client.indexes.search(**asked, source_type="external")[0].score == pytest.approx(1)
    with pytest.raises(AmbiguousIndexError):
        client.indexes.search(labels=label, property_name="text", query="red")
    client.indexes.delete(both)
    assert client.indexes.search(labels=label, property_name="text", query="red")[0].score == pytest.approx(1)


def test_an_external_index_may_have_an_embedder_for_texts(
    managed_client: Client, words: EmbeddingServer, label: str
) -> None:
    client = managed_client
    index = make(client, label, source_type="external", dimensions=DIMENSIONS, embedder="words")
    record = client.records.create(label, {}, vectors=[{"propertyName": "text", "vector": "red boot"}])
    other = client.records.create(label, {"text": "red"})
    client.indexes.upsert_vectors(index, [(other.id, "blue watch")])
    assert embedded(client, index) == rounded({record.id: "red boot", other.id: "blue watch"})
    assert client.indexes.search(labels=label, property_name="text", query="watch")[0].id == other.id


def test_an_index_that_is_deleted_while_it_works(managed_client: Client, words: EmbeddingServer, label: str) -> None:
    client = managed_client
    words.script.append(lambda request: {"data": [{"index": 0, "embedding": vector_of("red")}]})
    words.always = Reply(delay=5)
    client.records.create_many(label, [{"text": "red"}] * 20)
    index = make(client, label)
    wait_until(lambda: client.indexes.get(index).status == "indexing")
    started = time.monotonic()
    client.indexes.delete(index)
    client.collections.delete(label)
    assert time.monotonic() - started < 3


def test_a_collection_that_is_closed_while_it_works(managed_client: Client, words: EmbeddingServer, label: str) -> None:
    client = managed_client
    index = make(client, label)
    wait_until_ready(client, index)
    words.always = Reply(delay=5)
    client.records.create(label, {"text": "red"}, id=1)
    wait_until(lambda: any("red" in batch for batch in words.texts))
    started = time.monotonic()
    client.vde.close(label)
    assert time.monotonic() - started < 3
    words.always = None
    wait_until_ready(client, index)
    assert embedded(client, index) == rounded({1: "red"})


@pytest.mark.slow
def test_after_a_restart_it_goes_on_where_it_was(running: EmbeddingServer, tmp_path: Path) -> None:
    running.script.clear()
    running.always = None
    settings = ["--embedders", str(running.settings(tmp_path, cache_bytes=0, retries=0))]
    with running_server(tmp_path / "data", options=settings) as address, Client(address) as client:
        client.collections.create("a")
        index = make(client, "a")
        client.records.create_many("a", [{"text": f"red {number}"} for number in range(50)], ids=range(50))
        wait_until_ready(client, index)
    running.requests.clear()
    with running_server(tmp_path / "data") as address, Client(address) as client:
        client.records.upsert("a", {"text": "blue"}, id=7)
        wait_until(lambda: client.indexes.get(index).status == "error")
        assert "no embedder named 'words'" in client.indexes.get(index).error
    with running_server(tmp_path / "data", options=settings) as address, Client(address) as client:
        wait_until_ready(client, index)
        assert embedded(client, index)[7] == rounded({7: "blue"})[7]
        client.vde.clone_collection("a", "b")
        [copy] = client.indexes.list("b")
        assert copy.id != index.id
        client.records.create("b", {"text": "boot"}, id=60)
        wait_until_ready(client, copy)
        assert len(embedded(client, copy)) == 51
    assert [text for batch in running.texts for text in batch] == ["blue", "boot"]


@pytest.mark.slow
def test_nothing_is_lost_or_made_up_when_the_server_is_killed(running: EmbeddingServer, tmp_path: Path) -> None:
    running.script.clear()
    running.always = None
    settings = ["--embedders", str(running.settings(tmp_path, retries=0))]
    texts: dict[Any, str] = {}
    index: Index | None = None
    for life in range(4):
        with doomed_server(tmp_path / "data", options=settings) as (process, address), Client(address) as client:
            client.collections.get_or_create("a")
            index = index or make(client, "a")
            for number in range(20):
                batch = {life * 1000 + number * 40 + each: f"red {life} {number} {each}" for each in range(40)}
                client.points.upsert("a", [PointStruct(key, {}, {"text": text}) for key, text in batch.items()])
                texts |= batch
            process.kill()
    assert index is not None
    with running_server(tmp_path / "data", options=settings) as address, Client(address) as client:
        wait_until_ready(client, index)
        assert embedded(client, index) == rounded(texts)
