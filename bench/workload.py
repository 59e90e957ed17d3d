"""The server under measurement, its client, and the raw references beside them."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import numpy as np
from grpc_health.v1 import health_pb2, health_pb2_grpc
from numpy.typing import NDArray
from usearch.index import Index

from bench.data import Dataset
from headwater import Client, PointStruct, VectorParams
from headwater import Upsert as UpsertOperation
from headwater._wire.writes import upsert_request as client_upsert_request
from headwater.v1 import points_pb2, points_pb2_grpc
from tests.support.server_process import server_process

COLLECTION = "bench"
M, EF_CONSTRUCT = 16, 200


@dataclass(frozen=True, slots=True)
class Bench:
    """A loaded, fully indexed server process `pid`, and raw usearch indexes of the same settings by space."""

    data: Dataset
    client: Client
    pid: int
    raw: dict[str, Index]
    health: health_pb2_grpc.HealthStub
    points: points_pb2_grpc.PointsStub

    def empty_call(self) -> None:
        """One unary RPC that does nothing."""
        self.health.Check(health_pb2.HealthCheckRequest())


@contextmanager
def bench(data: Dataset, folder: Path) -> Iterator[Bench]:
    """Starts a server over `folder`, loads `data` in both spaces and waits until both are indexed."""
    with server_process(folder) as (process, address), Client(address, timeout=600) as client:
        _say(f"loading {data.name}")
        load(client, data)
        raw = {name: raw_index(getattr(data, name)) for name in ("definition", "lemmas")}
        wait_until_indexed(client)
        with grpc.insecure_channel(address) as channel:
            stubs = health_pb2_grpc.HealthStub(channel), points_pb2_grpc.PointsStub(channel)
            yield Bench(data, client, process.pid, raw, *stubs)


def load(
    client: Client, data: Dataset, *, batch_size: int = 256, spaces: dict[str, VectorParams] | None = None
) -> None:
    """Makes the collection and loads every row. The threshold makes one segment of each space."""
    rows = len(data.definition)
    client.collections.create(
        COLLECTION,
        vectors_config=spaces
        or {
            "definition": VectorParams(size=data.definition.shape[1]),
            "lemmas": VectorParams(size=data.lemmas.shape[1]),
        },
        optimizers_config={"indexing_threshold": rows},
    )
    points = (
        PointStruct(
            id=row, vector={"definition": data.definition[row], "lemmas": data.lemmas[row]}, payload=data.payloads[row]
        )
        for row in range(rows)
    )
    client.upload_points(COLLECTION, points, batch_size=batch_size)


def upsert_request(data: Dataset, collection: str, ids: range) -> points_pb2.PointsUpsertRequest:
    """The request that the client would send for these rows of the definitions, over and over."""
    count = len(data.payloads)
    points = [
        PointStruct(id=row, vector=data.definition[row % count], payload=data.payloads[row % count]) for row in ids
    ]
    return client_upsert_request(UpsertOperation(points), collection)


def wait_until_indexed(client: Client) -> None:
    while True:
        stats = client.vde.get_stats(COLLECTION)
        done = stats.total.indexed_vectors
        _say(f"indexing: {done:,} of {stats.total.vectors:,} vectors", end="\r")
        if done == stats.total.vectors:
            _say("")
            return
        time.sleep(0.5)


def raw_index(vectors: NDArray[np.float32]) -> Index:
    """A usearch index with the settings of a new space, built by one thread."""
    index = Index(
        ndim=vectors.shape[1],
        metric="cos",
        dtype="bf16",
        connectivity=M,
        expansion_add=EF_CONSTRUCT,
        expansion_search=1,
    )
    index.add(np.arange(len(vectors), dtype=np.uint64), vectors, threads=1)
    return index


def exact_top(vectors: NDArray[np.float32], queries: NDArray[np.float32], k: int) -> list[set[int]]:
    """The true nearest rows by cosine, for recall."""
    return [set(np.argpartition(-(vectors @ query), k)[:k].tolist()) for query in queries]


def recall(found: list[set[int]], truth: list[set[int]]) -> float:
    return float(np.mean([len(one & two) / len(two) for one, two in zip(found, truth, strict=True)]))


def resident_bytes(pid: int) -> tuple[int, int]:
    """Bytes of memory of a process that are its own, and of those that are files mapped into it."""
    sizes = {
        line.split(":")[0]: int(line.split()[1]) * 1024
        for line in Path(f"/proc/{pid}/status").read_text().splitlines()
        if line.startswith(("RssAnon", "RssFile"))
    }
    return sizes["RssAnon"], sizes["RssFile"]


def _say(line: str, end: str = "\n") -> None:
    print(line, file=sys.stderr, end=end, flush=True)
