"""Codes beside graphs, in a real server: made after a build, again when they are gone, and with answers as before."""

import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from headwater import Client, VectorParams
from storage.kernels.library import has_kernels
from tests.support.server_process import doomed_server, log_of, running_server

pytestmark = pytest.mark.skipif(not has_kernels(), reason="there are no native kernels here")

ROWS, SIZE, NAME = 6_000, 96, "coded"
WAIT_SECONDS = 120.0


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT_SECONDS
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def codes_in(data: Path) -> list[Path]:
    return sorted(data.glob("collections/*/spaces/*/*.codes"))


def load(client: Client) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    rows = np.random.default_rng(1).standard_normal((ROWS, SIZE)).astype(np.float32)
    client.collections.create(NAME, VectorParams(size=SIZE), optimizers_config={"indexing_threshold": ROWS})
    client.points.upload_points(NAME, [{"id": row, "vector": rows[row]} for row in range(ROWS)], batch_size=1_000)
    until(lambda: client.vde.get_stats(NAME).total.indexed_vectors == ROWS)
    return rows


def answers(
    client: Client, queries: np.ndarray[tuple[int, int], np.dtype[np.float32]]
) -> list[list[tuple[object, float]]]:
    found = client.points.search_batch(NAME, searches=[{"vector": query, "limit": 5} for query in queries])
    return [[(hit.id, hit.score) for hit in hits] for hits in found]


def test_an_older_store_gets_codes_in_the_background_and_answers_stay(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running_server(data) as address, Client(address) as client:
        rows = load(client)
        until(lambda: len(codes_in(data)) == 1)
        before = answers(client, rows[:50])
        assert [hits[0] for hits in before] == [(row, 1.0) for row in range(50)]
    [file] = codes_in(data)
    made = file.read_bytes()
    file.unlink()  # as an older program left it
    with running_server(data) as address, Client(address) as client:
        assert [hits[0] for hits in answers(client, rows[:50])] == [hits[0] for hits in before]
        until(lambda: codes_in(data) == [file])
        assert file.read_bytes() == made
        assert answers(client, rows[:50]) == before


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["cut", "flipped", "foreign"])
def test_damaged_codes_are_made_anew_after_a_kill(damage: str, tmp_path: Path) -> None:
    data = tmp_path / "data"
    with doomed_server(data) as (process, address), Client(address) as client:
        rows = load(client)
        until(lambda: len(codes_in(data)) == 1)
        process.send_signal(signal.SIGKILL)
        process.wait()
    [file] = codes_in(data)
    made = file.read_bytes()
    file.unlink()  # a mapped file must not change
    other = {"cut": made[: len(made) // 2], "flipped": made[:-1] + bytes([made[-1] ^ 1]), "foreign": b"not codes"}[
        damage
    ]
    file.write_bytes(other)
    with running_server(data) as address, Client(address) as client:
        assert [hits[0] for hits in answers(client, rows[:50])] == [(row, 1.0) for row in range(50)]
        until(lambda: file.exists() and file.read_bytes() == made)
    assert "Traceback" not in log_of(data).read_text()


def test_codes_go_with_their_graph(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running_server(data) as address, Client(address) as client:
        load(client)
        until(lambda: len(codes_in(data)) == 1)
        [old] = codes_in(data)
        client.collections.update(NAME, update_vectors={"": {"hnsw_config": {"m": 8}}})
        until(lambda: not old.exists() and len(codes_in(data)) == 1)
        client.collections.delete(NAME)
        until(lambda: not codes_in(data))
