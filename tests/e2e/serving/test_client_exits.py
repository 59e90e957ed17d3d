"""Programs that end with generators unfinished and clients open: they end quietly."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.support.root import ROOT
from tests.support.server_process import environment, running_server

START = """
import asyncio
from headwater import AsyncClient, Client, PointStruct, VectorParams
address = {address!r}
client = Client(address)
client.collections.get_or_create("c", VectorParams(2))
client.points.upsert("c", [PointStruct(number, [1, number]) for number in range(1, 9)])
"""
ENDINGS = {
    "a generator of the module": "records = client.points.scroll_all('c', batch_size=2); next(records)",
    "a ranking, its client closed first": """
with client:
    hits = client.points.query_all("c", [1, 0], batch_size=2)
    next(hits)
""",
    "an exception beside a generator": """
records = client.points.scroll_all("c", batch_size=2)
next(records)
raise SystemExit(0)
""",
    "an async generator that was left": """
async def run():
    async with AsyncClient(address) as other:
        async for record in other.points.scroll_all("c", batch_size=2):
            break
asyncio.run(run())
""",
    "an async generator that outlives its client and its loop": """
kept = []
async def run():
    other = AsyncClient(address)
    kept.append(other.points.scroll_all("c", batch_size=2))
    await anext(kept[0])
asyncio.run(run())
""",
    "an async client that was never closed, in two loops": """
other = AsyncClient(address)
assert asyncio.run(other.points.count("c")) == asyncio.run(other.points.count("c")) == 8
""",
    "many calls at a time": """
async def run():
    async with AsyncClient(address) as other:
        found = await asyncio.gather(*(other.points.search("c", [1, 0]) for _ in range(500)))
        assert all(len(hits) == 8 for hits in found)
asyncio.run(run())
""",
}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_server(tmp_path_factory.mktemp("exits") / "data") as started:
        yield started


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_program_ends_quietly(address: str, ending: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "default", "-c", START.format(address=address) + ENDINGS[ending]],
        env=environment(),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "")
