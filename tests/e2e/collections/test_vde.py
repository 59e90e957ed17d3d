"""The vector data engine through the client: opening, closing, counts, sizes, flushing."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import numpy as np
import pytest

import headwater
from headwater import Client, CollectionState, Distance, PointStruct, SearchParams, SpaceState, VectorParams

SIZE = 8


@pytest.fixture
def made(client: Client, name: str) -> Iterator[str]:
    spaces = {"text": VectorParams(2), "image": VectorParams(SIZE, Distance.Euclid)}
    client.collections.create(name, spaces, optimizers_config={"indexing_threshold": 300})
    client.points.upsert(name, [PointStruct(n, {"text": [n + 1, 1]} if n % 2 else {}) for n in range(5)])
    yield name
    client.collections.delete(name)


def wait_until(reached: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, "it did not come to it"
        time.sleep(0.02)


def test_vectors_are_counted_by_point_and_by_space(client: Client, made: str) -> None:
    count = client.vde.get_vector_count(made)
    assert (count, dict(count.spaces)) == (2, {"text": 2, "image": 0})
    client.points.upsert(
        made, [PointStruct(1, {"text": [1, 1], "image": [0] * SIZE}), PointStruct(2, {"image": [1] * SIZE})]
    )
    count = client.vde.get_vector_count(made)
    assert (count, dict(count.spaces)) == (3, {"text": 2, "image": 2})


def test_a_closed_collection_answers_as_before(client: Client, made: str) -> None:
    before = client.points.query(made, [1, 1], using="text", with_vectors=True)
    assert client.vde.close(made) is CollectionState.CLOSED
    assert client.vde.close(made) is CollectionState.CLOSED
    assert client.collections.exists(made)
    assert made in client.collections.list()
    state = client.vde.get_state(made)
    assert (state.state, dict(state.spaces)) == (CollectionState.CLOSED, {})
    assert client.vde.open(made) is CollectionState.READY
    assert client.vde.open(made) is CollectionState.READY
    after = client.points.query(made, [1, 1], using="text", with_vectors=True)
    assert after == before
    assert after.seq == before.seq
    client.vde.close(made)
    assert client.points.upsert(made, [PointStruct(1)]).seq == before.seq + 1, "it is opened by its next use"


def test_a_closed_collection_can_be_deleted(client: Client, name: str) -> None:
    client.collections.create(name, VectorParams(2))
    client.vde.close(name)
    assert client.collections.delete(name)
    assert client.collections.create(name).points_count == 0
    client.collections.delete(name)


def test_calls_meet_closing_and_opening_with_typed_errors(client: Client, made: str) -> None:
    stop, unexpected, answered = threading.Event(), [], []

    def ask() -> None:
        while not stop.is_set():
            try:
                hits = client.points.search(made, [1, 1], using="text")
                client.points.set_payload(made, {"x": 1}, [1])
                answered.append(len(hits))
            except (headwater.CollectionClosedError, headwater.ShuttingDownError):
                pass
            except Exception as error:
                unexpected.append(error)
                return

    def close() -> None:
        for _ in range(30):
            client.vde.close(made)
            with suppress(headwater.CollectionClosedError):  # the other closed it again
                client.vde.open(made)
        stop.set()

    threads = [threading.Thread(target=use) for use in (ask, ask, ask, close, close)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert unexpected == []
    client.vde.open(made)
    assert client.vde.get_state(made).state is CollectionState.READY
    assert set(answered) <= {2}
    assert client.points.count(made) == 5


def test_an_index_is_built_in_the_background(client: Client, made: str) -> None:
    state = client.vde.get_state(made)
    assert state.state is CollectionState.READY
    assert dict(state.spaces) == {"text": SpaceState.READY, "image": SpaceState.AWAITING_VECTORS}
    vectors = np.random.default_rng(2).standard_normal((700, SIZE)).astype(np.float32)
    client.points.upsert(made, [PointStruct(n, {"image": vector}) for n, vector in enumerate(vectors)])
    exact = SearchParams(exact=True)
    before = [client.points.search(made, vector, using="image", params=exact) for vector in vectors[:20]]
    wait_until(lambda: client.collections.get_info(made).vectors["image"].indexed_vectors_count > 0)
    wait_until(lambda: client.vde.get_state(made).state is CollectionState.READY)
    stats = client.vde.get_stats(made)
    image = stats.spaces["image"]
    assert (stats.points, image.vectors, image.index, stats.spaces["text"].index) == (700, 700, "hnsw", "flat")
    assert image.indexed_vectors + image.tail_vectors == 700
    assert image.segments >= 1
    assert stats.total.vectors == 700
    assert stats.total.index == ""
    assert stats.payload_disk_bytes > 0
    assert min(image.disk_bytes, image.mapped_bytes) >= 700 * SIZE * 4
    assert [client.points.search(made, vector, using="image", params=exact) for vector in vectors[:20]] == before
    close = [client.points.search(made, vector, using="image") for vector in vectors[:20]]
    hits = sum(
        len({hit.id for hit in one} & {hit.id for hit in other}) for one, other in zip(close, before, strict=True)
    )
    assert hits >= 0.98 * 200
    client.points.delete(made, range(100, 150))
    assert client.vde.get_stats(made).spaces["image"].deleted_vectors == 50
    client.vde.close(made)
    client.vde.open(made)
    assert client.collections.get_info(made).vectors["image"].vectors_count == 650
    assert client.collections.get_info(made).vectors["image"].indexed_vectors_count > 0


def test_flush_waits_for_what_was_accepted(client: Client, made: str) -> None:
    for number in range(30):
        client.points.upsert(made, [PointStruct(number + 100)], wait=False)
    seq = client.vde.flush(made)
    assert client.points.count(made) == 35
    assert seq == client.collections.get_info(made).seq
    assert client.vde.flush(made) == seq
