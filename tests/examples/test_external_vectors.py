"""`examples.external_vectors`, step by step and as a person runs it: rankings are those of numpy."""

import re
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from examples import external_vectors as example
from examples.datasets import Shop, load_shop
from examples.own_server import own_server
from examples.report import WIDTH
from headwater import Client
from tests.support.root import ROOT
from tests.support.server_process import environment


@pytest.fixture(scope="module")
def shop() -> Shop:
    return load_shop()


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with own_server() as address, Client(address) as client:
        yield client


def nearest(shop: Shop, query: NDArray[np.float32], rows: list[int]) -> list[int]:
    """Ids of the products in these rows, nearest first."""
    scores = shop.text[rows] @ query
    return [shop.products[rows[place]]["id"] for place in np.argsort(-scores, kind="stable")][: example.LIMIT]


def test_each_step_finds_what_numpy_finds(client: Client, shop: Shop) -> None:
    assert len(example.create_records(client, shop)) == len(shop.products)
    index = example.create_index(client, shop)
    assert index.status == "awaiting_vectors"
    assert example.upsert_vectors(client, shop, index).status == "ready"
    everything = list(range(len(shop.products)))
    for hits, query in zip(example.search(client, shop), shop.query_text, strict=True):
        assert [hit.id for hit in hits] == nearest(shop, query, everything)
        assert hits.coverage == 1
    cheap = [row for row in everything if shop.products[row]["price"] < 100]
    assert [hit.id for hit in example.restrict(client, shop)] == nearest(shop, shop.query_text[0], cheap)
    error, hits = example.tell_apart(client, shop)
    assert index.id in error.candidates
    assert ([hit.id for hit in hits], hits[0].score) == (["revised"], 0)
    assert hits.coverage == pytest.approx(1 / (len(shop.products) + 1))
    assert example.clean_up(client, shop) == []
    assert client.collections.list() == []


def test_it_runs_as_a_program() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "examples.external_vectors"],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert len(re.findall(r"^\d\. ", done.stdout, re.MULTILINE)) == 7
    assert max(map(len, done.stdout.splitlines())) <= WIDTH
