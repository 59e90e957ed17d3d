"""A server that is killed while it takes writes keeps every acknowledged one, and no half of any batch."""

import random
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from headwater import Client, Distance, HeadwaterError, PointStruct, SearchParams, VectorParams
from tests.support.root import ROOT
from tests.support.server_process import doomed_server, environment

NAME = "stream"
SIZE = 16
BATCH = 20
WRITERS = 2
INDEXING_THRESHOLD = 500

Group = tuple[int, int]
"""A writer, and a set of points that it writes together: by one batch, or by that and later by another."""


def group_of(batch: int) -> int:
    """Every third batch writes the points of the one before again."""
    return batch - 1 if batch % 3 == 2 else batch


def point(writer: int, batch: int, number: int) -> PointStruct:
    """A point whose id, vector and payload say who wrote it and when."""
    vector = np.full(SIZE, batch + 1, np.float32)
    vector[0] = writer * 1_000 + number
    return PointStruct(f"{writer}/{group_of(batch)}/{number}", vector, {"writer": writer, "batch": batch, "i": number})


@dataclass
class Stream:
    """What one writer sent and what was acknowledged: numbers of batches."""

    writer: int
    sent: int = 0
    acknowledged: set[int] = field(default_factory=set)
    error: BaseException | None = None

    def run(self, address: str) -> None:
        """Writes until the server is gone."""
        try:
            with Client(address, retries=0) as client:
                while True:
                    batch, self.sent = self.sent, self.sent + 1
                    client.points.upsert(NAME, [point(self.writer, batch, number) for number in range(BATCH)])
                    self.acknowledged.add(batch)
        except HeadwaterError:
            pass
        except BaseException as error:
            self.error = error

    def newest(self) -> dict[Group, int]:
        """By group, the newest batch that was acknowledged."""
        return {(self.writer, group_of(batch)): batch for batch in sorted(self.acknowledged)}


def kill_repeatedly(data: Path, times: int) -> None:
    delays = random.Random(times)
    streams = [Stream(writer) for writer in range(WRITERS)]
    with doomed_server(data) as (_, address), Client(address) as client:
        params = VectorParams(SIZE, Distance.Euclid)
        client.collections.create(NAME, params, optimizers_config={"indexing_threshold": INDEXING_THRESHOLD})
    for _ in range(times):
        write_and_kill(data, streams, delays.uniform(0.05, 0.8))
        check_directory(data)
        with doomed_server(data) as (_, address), Client(address) as client:
            check_stored(client, streams)
            check_found(client)
    assert all(stream.acknowledged for stream in streams)


def write_and_kill(data: Path, streams: list[Stream], seconds: float) -> None:
    with doomed_server(data) as (process, address):
        threads = [threading.Thread(target=stream.run, args=(address,)) for stream in streams]
        for thread in threads:
            thread.start()
        time.sleep(seconds)
        process.kill()
        for thread in threads:
            thread.join()
    assert [stream.error for stream in streams] == [None] * len(streams)


def check_directory(data: Path) -> None:
    command = [sys.executable, "-m", "storage.check", str(data)]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def check_stored(client: Client, streams: list[Stream]) -> None:
    """Every group is whole and of one batch, which was sent and is no older than the newest acknowledged one."""
    stored = read_all(client)
    for (writer, _), batches in stored.items():
        assert len(batches) == BATCH, "a batch is there in part"
        assert len(set(batches)) == 1, "a batch overwrote another in part"
        assert batches[0] < streams[writer].sent
    for stream in streams:
        for group, batch in stream.newest().items():
            assert group in stored, "an acknowledged batch is lost"
            assert stored[group][0] >= batch, "an acknowledged batch is lost, and what it overwrote is back"
    count = len(stored) * BATCH
    assert (client.points.count(NAME), client.vde.get_vector_count(NAME)) == (count, count)


def read_all(client: Client) -> dict[Group, list[int]]:
    """By group, the batch of each of its points. Asserts that id, vector and payload are of the same write."""
    found: dict[Group, list[int]] = {}
    offset = None
    while True:
        page, offset = client.points.scroll(NAME, limit=5_000, offset=offset, with_vectors=True)
        for record in page:
            assert record.payload is not None
            writer, batch = record.payload["writer"], record.payload["batch"]
            written = point(writer, batch, record.payload["i"])
            assert record.id == written.id
            np.testing.assert_array_equal(record.vectors[""], written.vector)
            found.setdefault((writer, group_of(batch)), []).append(batch)
        if offset is None:
            return found


def check_found(client: Client) -> None:
    """What was derived before the kill, or is derived again after it, finds what is stored."""
    page, _ = client.points.scroll(NAME, limit=100, with_vectors=True)
    for record in page[::20]:
        for exact in (True, False):
            [hit] = client.points.search(NAME, record.vectors[""], limit=1, params=SearchParams(exact=exact))
            assert (hit.id, hit.score) == (record.id, 0)


def test_acknowledged_writes_survive_kills(tmp_path: Path) -> None:
    kill_repeatedly(tmp_path / "data", times=3)


@pytest.mark.slow
def test_acknowledged_writes_survive_twenty_kills(tmp_path: Path) -> None:
    kill_repeatedly(tmp_path / "data", times=20)
