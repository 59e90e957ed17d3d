"""What readers see while others write: pages without gaps, writes by filter whole or not at all, the maximum kept."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from headwater import (
    Client,
    Comparison,
    Field,
    HeadwaterError,
    PointStruct,
    StoredComparison,
    VectorParams,
)
from headwater.filters import FilterLike
from tests.support.server_process import doomed_server

COUNT = 300
GROUP = Field("group").eq("a")


def points(state: int) -> list[PointStruct]:
    return [PointStruct(n, [1, n], {"group": "a", "state": state}) for n in range(COUNT)]


@contextmanager
def meanwhile(work: Callable[[Client, int], None], address: str) -> Iterator[None]:
    """Does `work` with a client of its own, again and again with rising numbers, while the context lasts."""
    over, errors = threading.Event(), []

    def loop() -> None:
        try:
            with Client(address, retries=0) as client:
                number = 0
                while not over.is_set():
                    number += 1
                    work(client, number)
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    assert errors == []


@pytest.mark.parametrize("filter", [None, GROUP])
def test_pages_by_id_under_inserts_have_no_gaps_and_no_repeats(
    client: Client, address: str, name: str, filter: FilterLike | None
) -> None:
    """Points between and behind those that were there appear meanwhile; each of the old is read once, in id order."""
    client.collections.create(name, VectorParams(2))
    old: list[int | str] = [*range(0, 2 * COUNT, 2), *(f"k{n:03}" for n in range(0, COUNT, 2))]
    client.points.upsert(name, [PointStruct(each, [1, 1], {"group": "a"}) for each in old])

    def insert(writer: Client, number: int) -> None:
        draw = random.Random(number)
        new: list[int | str] = [
            2 * draw.randrange(COUNT) + 1,
            f"k{2 * draw.randrange(COUNT // 2) + 1:03}",
            10_000 + number,
        ]
        writer.points.upsert(name, [PointStruct(each, [1, 1], {"group": "a"}) for each in new])

    with meanwhile(insert, address):
        for _ in range(3):
            read: list[int | str] = []
            offset = None
            while True:
                page, offset = client.points.scroll(name, filter=filter, limit=7, offset=offset)
                read += [record.id for record in page]
                if offset is None:
                    break
            assert [each for each in read if each in set(old)] == old
            assert len(set(read)) == len(read)
            assert read == sorted(read, key=lambda each: (isinstance(each, str), each))
    assert client.points.count(name, filter=filter) == client.points.count(name) > len(old)
    client.collections.delete(name)


def test_writes_by_filter_are_seen_whole_or_not_at_all(client: Client, address: str, name: str) -> None:
    client.collections.create(name, VectorParams(2))
    client.points.upsert(name, points(0))

    def write(writer: Client, number: int) -> None:
        assert writer.points.set_payload(name, {"state": number}, filter=GROUP).affected == COUNT
        if number % 3 == 0:
            assert writer.points.delete(name, filter=GROUP).affected == COUNT
            writer.points.upsert(name, points(number))

    seen = set()
    with meanwhile(write, address):
        for _ in range(60):
            page, _ = client.points.scroll(name, limit=COUNT + 1)
            states = {record.payload["state"] for record in page if record.payload}
            assert (len(page), len(states)) in {(0, 0), (COUNT, 1)}
            newest = max(states, default=0)
            assert client.points.count(name, filter=Field("state").eq(newest)) in {0, COUNT}
            assert len(client.points.search(name, [1, 1], limit=COUNT, filter=GROUP)) in {0, COUNT}
            seen |= states
    assert len(seen) > 1
    client.collections.delete(name)


def test_a_kill_leaves_writes_by_filter_whole_or_undone(tmp_path: Path) -> None:
    data, name, acknowledged = tmp_path / "data", "killed", 0
    with doomed_server(data) as (_, address), Client(address) as client:
        client.collections.create(name, VectorParams(2))
        client.points.upsert(name, points(0))
    for seed in range(2):
        with doomed_server(data) as (process, address), Client(address, retries=0) as client:
            threading.Timer(0.3 + random.Random(seed).random() / 2, process.kill).start()
            try:
                while True:
                    if client.points.count(name) == 0:
                        client.points.upsert(name, points(acknowledged))
                    client.points.set_payload(name, {"state": acknowledged + 1}, filter=GROUP)
                    acknowledged += 1
                    if acknowledged % 4 == 0:
                        client.points.delete(name, filter=GROUP)
            except HeadwaterError:
                process.wait()
        with doomed_server(data) as (_, address), Client(address) as client:
            page, _ = client.points.scroll(name, limit=COUNT + 1)
            states = {record.payload["state"] for record in page if record.payload}
            assert (len(page), len(states)) in {(0, 0), (COUNT, 1)}
            assert states <= {acknowledged, acknowledged + 1}
            acknowledged = max(states, default=acknowledged)
    assert acknowledged > 0


def test_sixteen_racing_writers_keep_the_maximum(client: Client, address: str, name: str) -> None:
    client.collections.create(name, VectorParams(2))
    versions = random.Random(5).sample(range(1, 10_000), 160)
    newer = [StoredComparison("version", Comparison.LESS)]

    def race(writer: int) -> int:
        applied = 0
        with Client(address, retries=0) as own:
            for version in versions[writer::16]:
                given = [PointStruct(1, [1, version], {"version": version})]
                applied += own.points.upsert(name, given, compare=newer).affected
                if version % 5 == 0:
                    time.sleep(0.001)
        return applied

    with ThreadPoolExecutor(16) as pool:
        applied = sum(pool.map(race, range(16)))
    [stored] = client.points.get(name, [1], with_vectors=True)
    assert stored.payload == {"version": max(versions)}
    assert stored.vectors[""][1] == max(versions)
    assert 1 <= applied <= len(versions)
    client.collections.delete(name)
