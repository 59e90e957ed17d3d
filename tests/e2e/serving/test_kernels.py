"""Servers with and without native kernels: the same scores and order, and a log that tells which it is."""

import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from headwater import Client, Distance, PointStruct, SearchParams, VectorParams
from server.config import KERNELS
from storage.kernels import CHOICES
from storage.kernels.library import has_kernels
from tests.support.root import ROOT
from tests.support.server_process import environment, log_of, server_process

ROWS, SIZE = 1_000, 24


def _answers(
    client: Client, metric: Distance, queries: np.ndarray[tuple[int, int], np.dtype[np.float32]]
) -> list[object]:
    """Hits of exact searches and of walks so wide that they find all, with and without a filter, alone and together."""
    wide = SearchParams(hnsw_ef=ROWS)
    searches = [
        {"vector": query, "limit": 20, "params": params, "filter": condition, "with_payload": False}
        for query in queries
        for params in (SearchParams(exact=True), wide)
        for condition in (None, "half == true")
    ]
    together = client.points.search_batch(metric.name, searches=searches)
    alone = [client.points.search(metric.name, search.pop("vector"), **search) for search in searches]  # type: ignore[arg-type]
    assert together == alone
    return [[(hit.id, np.float32(hit.score).tobytes()) for hit in hits] for hits in together]


@pytest.mark.skipif(not has_kernels(), reason="there are no native kernels here")
def test_answers_are_the_same_with_and_without_kernels(tmp_path: Path) -> None:
    data, random = tmp_path / "data", np.random.default_rng(1)
    rows = random.standard_normal((ROWS, SIZE)).astype(np.float32)
    metrics = (Distance.Cosine, Distance.Euclid, Distance.Dot, Distance.Manhattan)
    found = {}
    for choice in ("auto", "off", "scalar"):
        with (
            server_process(data, options=["--kernels", choice]) as (_, address),
            Client(address) as client,
        ):
            for metric in metrics:
                if choice == "auto":
                    client.collections.create(
                        metric.name, VectorParams(SIZE, metric), optimizers_config={"indexing_threshold": 100}
                    )
                    points = [
                        PointStruct(number, row.tolist(), {"half": number % 2 == 0}) for number, row in enumerate(rows)
                    ]
                    client.points.upsert(metric.name, points)
                    client.points.delete(metric.name, list(range(0, 50, 3)))
                    client.vde.optimize(metric.name)
                found[metric, choice] = _answers(client, metric, rows[:3] + np.float32(0.25))
        log = log_of(data).read_text()
        assert ("searches run on numpy" if choice == "off" else "searches run on native kernels") in log
    for metric in metrics:
        assert found[metric, "auto"] == found[metric, "off"] == found[metric, "scalar"]


def test_kernels_that_are_not_there_are_refused_by_name(tmp_path: Path) -> None:
    for choice in ("best", "neon" if "x86" in platform.machine() else "avx512"):
        command = [sys.executable, "-m", "server", "--data", str(tmp_path / "data"), "--kernels", choice]
        done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
        assert done.returncode in (1, 2)
        assert choice in done.stderr


def test_the_setting_knows_all_choices() -> None:
    assert KERNELS == CHOICES
