"""Texts instead of vectors, over the wire, with an embedder that is a real HTTP server."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headwater import (
    AsyncClient,
    Client,
    Context,
    ContextPair,
    DeadlineExceededError,
    Discover,
    EmbedderFailedError,
    EmbedderNotConfiguredError,
    EmbedderUnavailableError,
    Field,
    Fusion,
    HeadwaterError,
    InvalidArgumentError,
    LimitExceededError,
    NearestWithMmr,
    PointNotFoundError,
    PointStruct,
    PointVectors,
    PrefetchQuery,
    QueryRequest,
    Recommend,
    SearchRequest,
    SpaceNotFoundError,
    Text,
    UpdateVectors,
    Upsert,
    VectorParams,
    VectorParamsDiff,
    WriteOperation,
    ZeroVectorError,
)
from tests.support.embedding_server import (
    DIMENSIONS,
    EmbeddingServer,
    Reply,
    embedding_server,
    embeddings,
    vector_of,
)
from tests.support.serving import serving

TEXTS = {1: "red trail shoe", 2: "blue boot", 3: "red watch", 4: "blue trail boot"}


@pytest.fixture(scope="module")
def running() -> Iterator[EmbeddingServer]:
    with embedding_server() as server:
        yield server


@pytest.fixture
def words(running: EmbeddingServer) -> EmbeddingServer:
    """The server of the embedder `words`, as if it were new."""
    running.script.clear()
    running.always = None
    running.close_each = False
    for past in (running.requests, running.headers, running.times):
        past.clear()
    return running


@pytest.fixture(scope="module")
def served(running: EmbeddingServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("texts")
    settings = running.settings(folder, retries=2, timeout_seconds=1, cache_bytes=0)
    with serving(folder / "data", embedders=settings) as service:
        yield service.address


@pytest.fixture(scope="module")
def texts_client(served: str) -> Iterator[Client]:
    with Client(served, retries=0) as client:
        yield client


def fill(client: Client, name: str) -> str:
    """Points 1 to 4 with texts in `text` and vectors of two numbers in `plain`, which has no embedder."""
    client.collections.create(name, {"text": VectorParams(DIMENSIONS, embedder="words"), "plain": VectorParams(2)})
    points = [
        PointStruct(point_id, {"text": text, "plain": [point_id, 1]}, {"n": point_id})
        for point_id, text in TEXTS.items()
    ]
    client.points.upsert(name, points)
    return name


@pytest.fixture
def shop(texts_client: Client, words: EmbeddingServer, name: str) -> str:
    """A collection for tests that write."""
    fill(texts_client, name)
    assert words.texts == [list(TEXTS.values())]
    words.requests.clear()
    return name


@pytest.fixture(scope="module")
def filled(texts_client: Client) -> str:
    return fill(texts_client, "filled")


@pytest.fixture
def kept(filled: str, words: EmbeddingServer) -> str:
    """A collection that stays as it is."""
    words.requests.clear()
    return filled


def ids(hits: Any) -> list[Any]:
    return [hit.id for hit in hits]


def test_a_text_is_what_its_vector_is(texts_client: Client, words: EmbeddingServer, shop: str) -> None:
    by_vector = texts_client.points.query(shop, vector_of("red shoe"), using="text", limit=4)
    by_text = texts_client.points.query(shop, Text("red shoe"), using="text", limit=4)
    assert by_text == by_vector
    assert by_text[0].id == 1
    assert texts_client.points.search(shop, Text("red shoe"), using="text", limit=4) == by_vector
    assert words.texts == [["red shoe"], ["red shoe"]]
    stored = texts_client.points.get(shop, [2], with_vectors=True)[0].vectors["text"]
    assert np.array_equal(stored, np.array(vector_of(TEXTS[2]), np.float32))


def test_the_space_knows_its_embedder(texts_client: Client, kept: str) -> None:
    spaces = texts_client.collections.get_info(kept).vectors
    assert (spaces["text"].params.embedder, spaces["plain"].params.embedder) == ("words", None)


def test_all_texts_of_a_batch_are_one_call(texts_client: Client, words: EmbeddingServer, kept: str) -> None:
    queries = [QueryRequest(Text(f"red {word}"), using="text", limit=2) for word in ("shoe", "boot", "watch", "shoe")]
    alone = [texts_client.points.query(kept, query.query, using="text", limit=2) for query in queries]
    words.requests.clear()
    assert texts_client.points.query_batch(kept, queries) == alone
    searches = [SearchRequest(query.query, using="text", limit=2) for query in queries]  # type: ignore[arg-type]
    assert texts_client.points.search_batch(kept, searches) == alone
    assert words.texts == [["red shoe", "red boot", "red watch"]] * 2


def test_texts_stand_anywhere_in_a_tree(texts_client: Client, words: EmbeddingServer, kept: str) -> None:
    def tree(of: Any) -> dict[str, Any]:
        leaves = [PrefetchQuery(of("red"), using="text", limit=3), PrefetchQuery([1, 0], using="plain", limit=3)]
        fused = PrefetchQuery(Fusion.RRF, prefetch=leaves, limit=3)
        return {"query": of("trail boot"), "using": "text", "prefetch": fused, "filter": Field("n").gte(2)}

    expected = texts_client.points.query(kept, **tree(vector_of))
    assert texts_client.points.query(kept, **tree(Text)) == expected
    assert words.texts == [["red", "trail boot"]]


@pytest.mark.parametrize(
    "rank",
    [
        lambda of: Recommend([of("red shoe"), 2], negative=[of("watch")]),
        lambda of: Discover(of("trail"), [ContextPair(of("boot"), of("watch"))]),
        lambda of: Context([ContextPair(of("boot"), of("watch")), ContextPair(of("blue"), 3)]),
        lambda of: NearestWithMmr(of("boot"), diversity=0.4),
    ],
    ids=["recommend", "discover", "context", "mmr"],
)
def test_texts_are_examples(texts_client: Client, words: EmbeddingServer, kept: str, rank: Any) -> None:
    expected = texts_client.points.query(kept, rank(vector_of), using="text")
    assert texts_client.points.query(kept, rank(Text), using="text") == expected
    assert len(words.requests) == 1


def test_writes_of_every_kind_take_texts(texts_client: Client, words: EmbeddingServer, shop: str) -> None:
    texts_client.points.update_vectors(shop, [PointVectors(1, {"text": "blue watch"})])
    operations: list[WriteOperation] = [
        Upsert([PointStruct(5, {"text": Text("trail")}), PointStruct(6, {"text": [1] * DIMENSIONS})]),
        UpdateVectors([PointVectors(2, {"text": "shoe"})]),
    ]
    texts_client.points.update_batch(shop, operations)
    assert words.texts == [["blue watch"], ["trail", "shoe"]]
    records = texts_client.points.get(shop, [1, 2, 5, 6], with_vectors=["text"])
    expected = [vector_of("blue watch"), vector_of("shoe"), vector_of("trail"), [1] * DIMENSIONS]
    assert [record.vectors["text"].tolist() for record in records] == np.array(expected, np.float32).tolist()


def test_the_unnamed_space_takes_a_bare_text(texts_client: Client, words: EmbeddingServer, name: str) -> None:
    texts_client.collections.create(name, VectorParams(DIMENSIONS, embedder="words"))
    texts_client.points.upsert(name, [PointStruct(1, "red shoe"), PointStruct("red", Text("blue boot"))])
    assert texts_client.points.query(name, Text("boot"))[0].id == "red"
    assert ids(texts_client.points.query(name, "red")) == [1]  # a string is the id of a point, as ever
    with pytest.raises(PointNotFoundError, match="send it as one: Text"):
        texts_client.points.query(name, "red boot")


def test_a_write_that_is_not_waited_for(texts_client: Client, words: EmbeddingServer, shop: str) -> None:
    texts_client.points.upsert(shop, [PointStruct(9, {"text": "trail watch"})], wait=False)
    texts_client.vde.flush(shop)
    assert texts_client.points.query(shop, Text("trail watch"), using="text")[0].id == 9


def test_explanations_name_the_embedder(texts_client: Client, kept: str) -> None:
    leaf = PrefetchQuery(Text("red"), using="text")
    plan = texts_client.points.explain(kept, Text("boot"), using="text", prefetch=[leaf])
    assert str(plan).count("embedder=words") == 2
    ran = texts_client.points.query(
        kept, Fusion.RRF, prefetch=[leaf, PrefetchQuery([1, 0], using="plain")], explain=True
    )
    assert str(ran.explanation).count("embedder=words") == 1
    groups = texts_client.points.query_groups(kept, Text("boot"), using="text", group_by="n", explain=True)
    assert str(groups.explanation).count("embedder=words") == 1


def test_recall_is_measured_with_texts(texts_client: Client, words: EmbeddingServer, kept: str) -> None:
    recall = texts_client.vde.evaluate_recall(kept, using="text", queries=[Text("red"), vector_of("boot")], k=2)
    assert (recall.average, recall.queries) == (1.0, 2)
    assert words.texts == [["red"]]


def test_the_asyncio_client_too(served: str, shop: str) -> None:
    async def search() -> Any:
        async with AsyncClient(served) as client:
            await client.points.upsert(shop, [PointStruct(8, {"text": "watch watch"})])
            return await client.points.query(shop, Text("watch"), using="text", limit=1)

    assert ids(asyncio.run(search())) == [8]


# What cannot be


def test_a_space_without_embedder_refuses_texts(texts_client: Client, kept: str) -> None:
    with pytest.raises(EmbedderNotConfiguredError, match="'plain' has no embedder") as raised:
        texts_client.points.query(kept, Text("red"), using="plain")
    assert raised.value.field == "query.nearest"
    with pytest.raises(EmbedderNotConfiguredError) as raised:
        texts_client.points.upsert(kept, [PointStruct(7, {"text": "red"}), PointStruct(8, {"plain": "red"})])
    assert raised.value.field == 'points[1].vectors["plain"]'
    assert texts_client.points.count(kept) == len(TEXTS)


def test_a_space_that_is_not_there(texts_client: Client, kept: str) -> None:
    with pytest.raises(SpaceNotFoundError):
        texts_client.points.query(kept, Text("red"), using="txet")
    with pytest.raises(SpaceNotFoundError):
        texts_client.points.upsert(kept, [PointStruct(7, {"txet": "red"})])


def test_an_embedder_that_the_server_does_not_have(texts_client: Client, shop: str, name: str) -> None:
    with pytest.raises(EmbedderNotConfiguredError, match="there are: 'words'") as raised:
        texts_client.collections.create(f"{name} b", {"a": VectorParams(3, embedder="word")})
    assert raised.value.field == 'vectors["a"].embedder'
    assert not texts_client.collections.exists(f"{name} b")
    with pytest.raises(EmbedderNotConfiguredError):
        texts_client.collections.update(shop, update_vectors={"plain": VectorParamsDiff(embedder="word")})
    with pytest.raises(EmbedderNotConfiguredError):
        texts_client.collections.update(shop, add_vectors={"b": VectorParams(3, embedder="word")})


@pytest.mark.parametrize("text", ["", "  \n"])
def test_a_text_of_nothing(texts_client: Client, words: EmbeddingServer, kept: str, text: str) -> None:
    with pytest.raises(InvalidArgumentError) as raised:
        texts_client.points.query(kept, Text(text), using="text")
    assert raised.value.field == "query.nearest.text"
    with pytest.raises(InvalidArgumentError) as raised:
        texts_client.points.upsert(kept, [PointStruct(7, {"text": "red"}), PointStruct(8, {"text": text})])
    assert raised.value.field == 'points[1].vectors["text"].text'
    assert (words.requests, texts_client.points.count(kept)) == ([], len(TEXTS))


def test_a_text_that_is_too_long(texts_client: Client, words: EmbeddingServer, kept: str) -> None:
    texts_client.points.query(kept, Text("é" * 32_768), using="text")
    words.requests.clear()
    with pytest.raises(LimitExceededError, match="MAX_TEXT_BYTES"):
        texts_client.points.query(kept, Text("é" * 32_768 + "e"), using="text")
    assert words.requests == []


def test_too_many_texts(texts_client: Client, words: EmbeddingServer, kept: str) -> None:
    points = [PointStruct(number, {"text": "red"}) for number in range(10_001)]
    with pytest.raises(LimitExceededError, match="MAX_TEXTS"):
        texts_client.points.upsert(kept, points)
    assert words.requests == []


def test_a_text_is_a_string(texts_client: Client, kept: str) -> None:
    with pytest.raises(TypeError, match="takes a string"):
        texts_client.points.query(kept, Text(5), using="text")  # type: ignore[arg-type]


# Embedders that fail

BROKEN = {
    "no JSON": Reply(parts=(b"<html>",)),
    "no object": lambda request: [],
    "no data": lambda request: {"data": None},
    "too few": lambda request: {"data": embeddings(request)["data"][1:]},
    "too many": lambda request: {"data": embeddings(request)["data"] * 2},
    "indexes": lambda request: {"data": [{**item, "index": 7} for item in embeddings(request)["data"]]},
    "null": lambda request: {"data": [{"index": 0, "embedding": None}]},
    "words": lambda request: {"data": [{"index": 0, "embedding": ["a"] * DIMENSIONS}]},
    "nested": lambda request: {"data": [{"index": 0, "embedding": [[1.0]] * DIMENSIONS}]},
    "NaN": lambda request: {"data": [{"index": 0, "embedding": [float("nan")] * DIMENSIONS}]},
    "beyond float32": lambda request: {"data": [{"index": 0, "embedding": [1e300] * DIMENSIONS}]},
    "beyond float64": lambda request: {"data": [{"index": 0, "embedding": [10**400] * DIMENSIONS}]},
    "empty": lambda request: {"data": [{"index": 0, "embedding": []}]},
    "wrong length": lambda request: {"data": [{"index": 0, "embedding": [1.0] * (DIMENSIONS + 1)}]},
    "base64": lambda request: {"data": [{"index": 0, "embedding": "?"}]},
    "status 401": Reply(401, parts=(b'{"error": "no such key"}',)),
    "status 404": Reply(404),
    "a redirect": Reply(307, {"Location": "/elsewhere"}),
    "deep JSON": Reply(parts=(b"[" * 100_000,)),
}


@pytest.mark.parametrize("behaviour", BROKEN.values(), ids=BROKEN)
def test_what_is_no_embedding_is_refused(
    texts_client: Client, words: EmbeddingServer, kept: str, behaviour: Any
) -> None:
    words.always = behaviour
    with pytest.raises(EmbedderFailedError, match="'words'"):
        texts_client.points.query(kept, Text("red"), using="text")
    with pytest.raises(EmbedderFailedError):
        texts_client.points.upsert(kept, [PointStruct(7, {"text": "red", "plain": [1, 1]})])
    assert len(words.requests) == 2  # asked again it would say the same
    assert texts_client.points.count(kept) == len(TEXTS)


def test_vectors_of_different_lengths(texts_client: Client, words: EmbeddingServer, kept: str) -> None:
    words.always = lambda request: {
        "data": [{"index": index, "embedding": [1.0] * (DIMENSIONS + index)} for index in range(len(request["input"]))]
    }
    with pytest.raises(EmbedderFailedError, match="lengths"):
        texts_client.points.upsert(kept, [PointStruct(7, {"text": "red"}), PointStruct(8, {"text": "blue"})])
    assert texts_client.points.count(kept) == len(TEXTS)


def test_a_vector_of_zeros_is_no_cosine_query(texts_client: Client, words: EmbeddingServer, kept: str) -> None:
    words.always = lambda request: {"data": [{"index": 0, "embedding": [0] * DIMENSIONS}]}
    with pytest.raises(ZeroVectorError):
        texts_client.points.query(kept, Text("red"), using="text")


TRANSIENT = [
    Reply(503),
    Reply(429, {"Retry-After": "0"}),
    Reply(500),
    Reply(hang_up=True),
    Reply(parts=(b"", b"{"), pause=3),
]


@pytest.mark.parametrize("reply", TRANSIENT, ids=["503", "429", "500", "hangs up", "stops half-way"])
def test_what_may_pass_is_tried_again(texts_client: Client, words: EmbeddingServer, kept: str, reply: Reply) -> None:
    words.script.append(reply)
    assert texts_client.points.query(kept, Text("red shoe"), using="text")[0].id == 1
    assert len(words.requests) == 2


def test_what_does_not_pass_is_unavailable(texts_client: Client, words: EmbeddingServer, kept: str) -> None:
    words.always = Reply(503, parts=(b"model is loading",))
    with pytest.raises(EmbedderUnavailableError, match="model is loading"):
        texts_client.points.upsert(kept, [PointStruct(7, {"text": "red"})])
    assert len(words.requests) == 3
    assert texts_client.points.count(kept) == len(TEXTS)


def test_retry_after_is_honoured(texts_client: Client, words: EmbeddingServer, kept: str) -> None:
    words.script.append(Reply(429, {"Retry-After": "1"}))
    texts_client.points.query(kept, Text("red"), using="text")
    assert words.times[-1] - words.times[-2] >= 1


def test_one_that_wants_to_be_left_alone_is_not_waited_for(
    texts_client: Client, words: EmbeddingServer, kept: str
) -> None:
    words.always = Reply(429, {"Retry-After": "600"})
    started = time.monotonic()
    with pytest.raises(EmbedderUnavailableError, match="429"):
        texts_client.points.query(kept, Text("red"), using="text")
    assert (len(words.requests), time.monotonic() - started < 5) == (1, True)


@pytest.mark.parametrize(
    "reply", [Reply(delay=5), Reply(parts=(b" ",) * 50, pause=0.1), Reply(503, {"Retry-After": "5"})]
)
def test_the_deadline_holds_whatever_the_embedder_does(
    texts_client: Client, words: EmbeddingServer, kept: str, reply: Reply
) -> None:
    words.always = reply
    started = time.monotonic()
    with pytest.raises((DeadlineExceededError, EmbedderUnavailableError)):
        texts_client.points.upsert(kept, [PointStruct(7, {"text": "red"})], timeout=0.5)
    assert time.monotonic() - started < 2.5
    words.always = None
    assert texts_client.points.query(kept, Text("red watch"), using="text")[0].id == 3
    assert texts_client.points.count(kept) == len(TEXTS)


def test_a_slow_one_ends_without_a_deadline_too(running: EmbeddingServer, tmp_path: Path) -> None:
    settings = running.settings(tmp_path, retries=1, timeout_seconds=0.2)
    with serving(tmp_path / "data", embedders=settings) as service, Client(service.address, timeout=None) as client:
        client.collections.create("c", VectorParams(DIMENSIONS, embedder="words"))
        running.always = Reply(delay=1)
        try:
            with pytest.raises(EmbedderUnavailableError, match=r"TimeoutError|timed out"):
                client.points.query("c", Text("red"))
        finally:
            running.always = None


def test_nobody_listens(tmp_path: Path) -> None:
    file = tmp_path / "embedders.toml"
    file.write_text('[gone]\nkind = "openai"\nurl = "http://127.0.0.1:9/v1"\nmodel = "m"\nretries = 1\n')
    with serving(tmp_path / "data", embedders=file) as service, Client(service.address) as client:
        client.collections.create("c", VectorParams(3, embedder="gone"))
        with pytest.raises(EmbedderUnavailableError, match="refused"):
            client.points.upsert("c", [PointStruct(1, "red")])
        assert client.points.count("c") == 0


# Life


def test_settings_live_on_without_the_embedder(running: EmbeddingServer, tmp_path: Path) -> None:
    running.script.clear()
    running.always = None
    with (
        serving(tmp_path / "data", embedders=running.settings(tmp_path)) as service,
        Client(service.address) as client,
    ):
        client.collections.create("c", VectorParams(DIMENSIONS, embedder="words"))
        client.points.upsert("c", [PointStruct(1, "red shoe"), PointStruct(2, "blue boot")])
        client.vde.clone_collection("c", "copy")
    with serving(tmp_path / "data") as service, Client(service.address) as client:
        for collection in ("c", "copy"):
            assert client.collections.get_info(collection).vectors[""].params.embedder == "words"
            with pytest.raises(EmbedderNotConfiguredError, match="there are: none"):
                client.points.query(collection, Text("red"))
            assert ids(client.points.query(collection, vector_of("red"))) == [1, 2]
        client.collections.update("c", update_vectors={"": VectorParamsDiff(embedder="")})
        assert client.collections.get_info("c").vectors[""].params.embedder is None


def test_an_embedder_can_be_given_to_a_space_that_lives(
    texts_client: Client, words: EmbeddingServer, name: str
) -> None:
    texts_client.collections.create(name, VectorParams(DIMENSIONS))
    texts_client.points.upsert(name, [PointStruct(1, vector_of("red shoe"))])
    texts_client.collections.update(name, update_vectors={"": VectorParamsDiff(embedder="words")})
    assert texts_client.points.query(name, Text("red shoe"))[0].score == pytest.approx(1)


def test_many_at_a_time(served: str, words: EmbeddingServer, kept: str) -> None:
    """Threads share connections; each gets its own answer."""

    async def ask() -> list[Any]:
        async with AsyncClient(served) as client:
            asked = [client.points.query(kept, Text(TEXTS[1 + n % 4]), using="text", limit=1) for n in range(40)]
            return [*await asyncio.gather(*asked)]

    before = words.connections
    assert [ids(hits) for hits in asyncio.run(ask())] == [[1 + n % 4] for n in range(40)]
    assert words.connections - before <= 4


def test_a_kept_connection_that_was_closed(texts_client: Client, words: EmbeddingServer, kept: str) -> None:
    words.close_each = True
    for _ in range(3):
        texts_client.points.query(kept, Text("red"), using="text")
    assert len(words.requests) == 3


def test_failures_have_one_root(texts_client: Client, words: EmbeddingServer, kept: str) -> None:
    words.always = Reply(400, parts=(b"x" * 10_000,))
    with pytest.raises(HeadwaterError) as raised:
        texts_client.points.query(kept, Text("red"), using="text")
    assert raised.value.metadata["embedder"] == "words"
    assert len(raised.value.message) < 500
