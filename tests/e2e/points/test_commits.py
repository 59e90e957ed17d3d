"""Everything a request returns is of one commit, while a writer changes all points at once, over and over."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from headwater import (
    Client,
    Dbsf,
    DeletePoints,
    Distance,
    Field,
    Fusion,
    PointStruct,
    PointVectors,
    PrefetchQuery,
    QueryRequest,
    SetPayload,
    UpdateVectors,
    Upsert,
    VectorParams,
    has_id,
)

COUNT = 60
TURNS = 40


def vector(flag: int, number: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Far from those of the other flag."""
    return np.array([1_000 * flag + number, 1], np.float32)


def points(flag: int) -> list[PointStruct]:
    return [
        PointStruct(number, {"a": vector(flag, number), "b": vector(flag, number)}, {"flag": flag})
        for number in range(COUNT)
    ]


@pytest.fixture
def flipping(client: Client, name: str) -> Iterator[tuple[str, threading.Event]]:
    """A collection whose points all have one flag, in payload and vectors, and a writer that flips it."""
    spaces = {"a": VectorParams(2, Distance.Euclid), "b": VectorParams(2, Distance.Manhattan)}
    client.collections.create(name, spaces, optimizers_config={"indexing_threshold": 500})
    client.points.upsert(name, points(0))
    done, errors = threading.Event(), []

    def flip() -> None:
        try:
            for turn in range(1, TURNS + 1):
                flag = turn % 2
                client.points.update_batch(name, OPERATIONS[turn % len(OPERATIONS)](flag))
        except BaseException as error:
            errors.append(error)
        finally:
            done.set()

    writer = threading.Thread(target=flip)
    writer.start()
    yield name, done
    writer.join()
    assert errors == []
    client.collections.delete(name)


OPERATIONS: list[Callable[[int], list[Any]]] = [
    lambda flag: [Upsert(points(flag))],
    lambda flag: [
        SetPayload({"flag": flag}, filter=Field("flag").eq(1 - flag)),
        UpdateVectors([PointVectors(each.id, each.vector) for each in points(flag)]),
    ],
    lambda flag: [DeletePoints(filter=has_id(range(COUNT))), Upsert(points(flag))],
]


def flags(hits: Any) -> list[int]:
    """The flag of each point. Asserts that payload, vectors and score of a point are of one state."""
    found = []
    for hit in hits:
        [flag] = {hit.payload["flag"], *(int(row[0]) // 1_000 for row in hit.vectors.values())}
        assert len(hit.vectors) == 2
        for row in hit.vectors.values():
            np.testing.assert_array_equal(row, vector(flag, hit.id))
        if hasattr(hit, "score") and hit.score >= 1:
            assert hit.score == hit.vectors["a"][0], "the score is of the vector that is returned"
        found.append(flag)
    return found


def whole(hits: Any) -> int:
    """The only flag of all points of a complete answer."""
    found = flags(hits)
    assert len(found) == COUNT
    [flag] = set(found)
    return flag


NEAR = PrefetchQuery([0, 1], "a", limit=COUNT)
OTHER = PrefetchQuery([0, 1], "b", limit=COUNT)
EACH: dict[str, Any] = {"limit": COUNT, "with_vectors": True}
TREE: dict[str, Any] = {
    "query": [0, 1],
    "using": "a",
    "prefetch": [
        PrefetchQuery(Fusion.RRF, limit=COUNT, prefetch=[NEAR, OTHER]),
        PrefetchQuery(Dbsf(), limit=COUNT, prefetch=[OTHER, PrefetchQuery(limit=COUNT, filter=Field("flag").eq(1))]),
    ],
    **EACH,
}


def ask_search(client: Client, name: str) -> set[int]:
    return {whole(client.points.search(name, [0, 1], using="a", **EACH))}


def ask_tree(client: Client, name: str) -> set[int]:
    return {whole(client.points.query(name, **TREE))}


def ask_gate(client: Client, name: str) -> set[int]:
    """A filter, its leaf and what is fetched agree: either all points pass, or none."""
    hits = client.points.query(name, Fusion.RRF, prefetch=[NEAR, OTHER], filter=Field("flag").eq(1), **EACH)
    assert len(hits) in (0, COUNT)
    return {whole(hits)} if hits else {0}


def ask_batch(client: Client, name: str) -> set[int]:
    """Every answer of a batch is of the same commit."""
    restricted = QueryRequest([0, 1], using="b", filter=Field("flag").eq(1), limit=COUNT, with_vectors=True)
    first, second, third, listed = client.points.query_batch(
        name, [TREE, {"query": [0, 1], "using": "a", **EACH}, restricted, EACH]
    )
    assert len({answer.seq for answer in (first, second, third, listed)}) == 1
    flag = whole(first)
    assert whole(second) == whole(listed) == flag
    assert len(third) == flag * COUNT
    return {flag}


def ask_page(client: Client, name: str) -> set[int]:
    page, _ = client.points.scroll(name, limit=COUNT, with_vectors=True)
    flag = whole(page)
    some, _ = client.points.scroll(name, limit=COUNT, filter=Field("flag").eq(0), with_vectors=True)
    assert len(some) in (0, COUNT)
    return {flag}


def ask_get(client: Client, name: str) -> set[int]:
    assert client.points.count(name, filter=Field("flag").eq(1)) in (0, COUNT)
    return {whole(client.points.get(name, range(COUNT), with_vectors=True))}


def test_no_answer_mixes_two_commits(client: Client, flipping: tuple[str, threading.Event]) -> None:
    name, done = flipping
    seen: list[set[int]] = []
    errors: list[BaseException] = []

    def keep_asking(ask: Callable[[Client, str], set[int]]) -> None:
        found: set[int] = set()
        try:
            while not done.is_set():
                found |= ask(client, name)
        except BaseException as error:
            errors.append(error)
        seen.append(found)

    asks = (ask_search, ask_tree, ask_gate, ask_batch, ask_page, ask_get)
    threads = [threading.Thread(target=keep_asking, args=(ask,)) for ask in asks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert set().union(*seen) == {0, 1}, "both states were there to be seen"
