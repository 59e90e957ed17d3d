"""No request makes a warmed-up server take more memory than one may: the dearest request of every RPC, measured."""

import itertools
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

import grpc
import numpy as np
import pytest

import headwater
from headwater import Aggregation, Client, Distance, Field, OrderBy, PointStruct, QueryRequest, Sample, VectorParams
from headwater.v1 import vde_pb2
from server.app import COLLECTIONS, INDEXES, POINTS, VDE
from tests.support.server_process import server_process

pytestmark = pytest.mark.slow

MIB = 2**20
MEMORY = 64 * MIB
REPLY = 8 * MIB
MESSAGE = 8 * MIB
TEXTS = 800
TEXT = "ab cd " * 16_000
WIDE = 16_384
ROWS = 900
MANY = 8_000
PARTS_BYTES = 4 * MIB
MOST_PLACES = 12
SERVICES = (COLLECTIONS, POINTS, VDE, INDEXES)
_NAMES = (f"new {number}" for number in itertools.count())
SLACK = 8 * MIB
"""What allocators round up, and caches that a request fills within bounds of their own."""

CHEAP = {
    "Collections": "Get List Exists Delete ListAliases Update UpdateAliases",
    "Points": "CloseCursor DeleteFieldIndex DeleteTextIndex Delete UpdateVectors DeleteVectors OverwritePayload "
    "DeletePayload ClearPayload UpdateBatch",
    "VDE": "Open Close GetState GetVectorCount GetStats Flush GetRebuildTask ListRebuildTasks CancelRebuildTask "
    "GetOptimizations ListSnapshots DeleteSnapshot DeletePartition",
    "Indexes": "Create Get List Delete GetStats Rearm UpsertVectors UpsertRecords",
}
"""RPCs that are as dear as their messages are large."""

AS_ANOTHER = {"Indexes.Search": "Points.Query"}
"""RPCs that run as another does, whose requests are counted in the same places."""


@dataclass(frozen=True)
class Served:
    client: Client
    channel: grpc.Channel
    pid: int

    def anonymous(self) -> int:
        """Bytes of memory of the server that are no mapped files."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("RssAnon:")).split()[1]) * 1024

    def growth(self, ask: Callable[[], object], refusals: Collection[grpc.StatusCode]) -> int:
        """By how much the memory grows at most while a request runs. It may be refused for want of room."""
        before = peak = self.anonymous()
        done = threading.Event()

        def watch() -> None:
            nonlocal peak
            while not done.is_set():
                peak = max(peak, self.anonymous())
                time.sleep(0.002)

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            ask()
        except headwater.ResourceExhaustedError:
            pass
        except grpc.RpcError as error:
            if error.code() not in refusals:
                raise
        finally:
            done.set()
            watcher.join()
        return peak - before


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    options = ["--max-request-memory", str(MEMORY), "--max-reply-bytes", str(REPLY), "--field-index-bytes", "0"]
    options += ["--max-message-bytes", str(MESSAGE), "--workers", "2"]
    with (
        server_process(tmp_path_factory.mktemp("memory") / "data", options=options) as (process, address),
        Client(address, retries=0, timeout=240) as client,
        grpc.insecure_channel(address) as channel,
    ):
        _fill(client)
        yield Served(client, channel, process.pid)


def _fill(client: Client) -> None:
    random = np.random.default_rng(5)
    client.collections.create("many", VectorParams(8, Distance.Euclid, index="flat"))
    rows = random.standard_normal((MANY, 8)).astype(np.float32)
    client.points.upsert("many", [PointStruct(n, rows[n], {"n": n, "s": f"value {n}"}) for n in range(MANY)])
    client.collections.create("texts", VectorParams(2), text_indexes=None)
    for start in range(0, TEXTS, 50):
        points = [PointStruct(n, [1, n], {"t": f"{n} {TEXT}", "n": n}) for n in range(start, start + 50)]
        client.points.upsert("texts", points)
    client.collections.create("wide", VectorParams(WIDE, index="flat"))
    for start in range(0, ROWS, 100):
        wide = random.standard_normal((100, WIDE)).astype(np.float32)
        client.points.upsert("wide", [PointStruct(start + n, wide[n], {"n": n}) for n in range(100)])
    client.vde.create_snapshot("texts", "s")
    client.collections.create("spare", VectorParams(2))
    client.points.upsert("spare", [PointStruct(1, [1, 0])])


def _messages_of_small_parts(kind: Any, depth: int = 0) -> Iterator[bytes]:
    """Messages of this kind made of as many parts as fit, one for each place where parts may be repeated."""
    for field in kind.fields:
        key = _varint(field.number << 3 | 2)
        if field.is_repeated and (field.message_type or field.cpp_type == field.CPPTYPE_STRING):
            yield (key + b"\0") * (PARTS_BYTES // (len(key) + 1))
        elif field.message_type and depth < 2:
            for inner in _messages_of_small_parts(field.message_type, depth + 1):
                yield key + _varint(len(inner)) + inner


def _varint(number: int) -> bytes:
    low, rest = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + _varint(rest) if rest else bytes([low])


def _dear_points(served: Served) -> Mapping[str, list[Callable[[], object]]]:
    """The dearest requests known of each RPC of points that is not cheap."""
    points = served.client.points
    query, wide = [0.0] * 8, [1.0] * WIDE
    batch = [QueryRequest([float(n)] * 8, limit=10_000, with_payload=False) for n in range(256)]
    small = [QueryRequest([float(n)] * 8, limit=10_000, with_payload=False) for n in range(15)]
    everything = Field("n").gte(0)
    ids: list[int | str | UUID] = list(range(500_000))
    nested = headwater.has_id(ids[:10_000])

    return {
        "Points.Upsert": [lambda: points.upsert("wide", [PointStruct(n, wide) for n in range(100)])],
        "Points.SetPayload": [lambda: points.set_payload("many", {"x": 1}, filter=everything)],
        "Points.Get": [
            lambda: points.get("texts", list(range(TEXTS))),
            lambda: points.get("texts", [1] * 10_000),
            lambda: points.get("wide", list(range(120)), with_vectors=True),
            lambda: points.get("wide", list(range(ROWS)), with_vectors=True),
        ],
        "Points.Search": [
            lambda: points.search("texts", [1.0, 0.0], limit=TEXTS),
            lambda: points.search("many", query, limit=10_000, with_vectors=True),
        ],
        "Points.SearchBatch": [lambda: points.query_batch("many", small)],
        "Points.Query": [
            lambda: points.query("texts", [1.0, 0.0], limit=TEXTS, with_payload=False),
            lambda: points.query("texts", OrderBy("t"), limit=10, with_payload=False),
            lambda: points.query("many", Sample(), limit=10_000),
            lambda: points.query("wide", headwater.NearestWithMmr(wide, candidates=900), limit=100),
            lambda: points.query(
                "wide", wide, prefetch=headwater.PrefetchQuery([2.0] * WIDE, limit=ROWS), limit=10, with_payload=False
            ),
            lambda: points.query("texts", [1.0, 0.0], filter=Field("t").contains("zz") & nested),
        ],
        "Points.QueryBatch": [lambda: points.query_batch("many", batch), lambda: points.query_batch("many", small)],
        "Points.Explain": [lambda: points.explain("many", query, limit=10_000, analyze=True)],
        "Points.ExplainPoint": [lambda: points.explain_points("many", ids[:100], query, limit=10_000)],
        "Points.QueryGroups": [
            lambda: points.query_groups("texts", [1.0, 0.0], group_by="t", limit=10, with_payload=False),
            lambda: points.query_groups("many", query, group_by="s", limit=10_000, group_size=1),
        ],
        "Points.Facet": [lambda: points.facet("texts", "t", limit=5), lambda: points.facet("many", "s", limit=10_000)],
        "Points.Aggregate": [
            lambda: points.aggregate("texts", {"m": Aggregation.max("t")}),
            lambda: points.aggregate("many", {"m": Aggregation.max("s")}, group_by="s"),
        ],
        "Points.SearchMatrixPairs": [
            lambda: points.search_matrix_pairs("wide", sample=150, limit=150),
            lambda: points.search_matrix_pairs("many", sample=1_000, limit=1_000),
        ],
        "Points.SearchMatrixOffsets": [lambda: points.search_matrix_offsets("many", sample=1_000, limit=1_000)],
        "Points.Scroll": [
            lambda: points.scroll("texts", limit=10_000),
            lambda: points.scroll("texts", limit=10_000, with_payload=["n"]),
            lambda: points.scroll("many", limit=10_000, with_vectors=True),
            lambda: points.scroll("wide", limit=10_000, with_vectors=True),
        ],
        "Points.Count": [
            lambda: points.count("texts", filter=Field("t").contains("zz")),
            lambda: points.count("many", filter=headwater.has_id(ids)),
        ],
        "Points.CreateFieldIndex": [lambda: points.create_field_index("many", "n", "integer")],
        "Points.CreateTextIndex": [lambda: points.create_text_index("many", "s")],
    }


def _dear_elsewhere(served: Served) -> Mapping[str, list[Callable[[], object]]]:
    client = served.client
    spaces = {f"v{number}": VectorParams(2) for number in range(256)}
    return {
        "Collections.Create": [lambda: client.collections.create(next(_NAMES), spaces)],
        "VDE.Optimize": [lambda: client.vde.optimize("many")],
        "VDE.RebuildIndex": [lambda: client.vde.rebuild_index("many")],
        "VDE.TriggerRebuild": [lambda: client.vde.trigger_rebuild("many")],
        "VDE.CompactCollection": [lambda: client.vde.compact_collection("many")],
        "VDE.EvaluateRecall": [lambda: client.vde.evaluate_recall("wide", sample=100)],
        "VDE.Prewarm": [lambda: client.vde.prewarm("wide")],
        "VDE.CloneCollection": [lambda: client.vde.clone_collection("texts", next(_NAMES))],
        "VDE.CreateSnapshot": [lambda: client.vde.create_snapshot("texts", next(_NAMES))],
        "VDE.RestoreSnapshot": [lambda: client.vde.restore_snapshot("texts", "s", next(_NAMES))],
        "VDE.DownloadSnapshot": [lambda: sum(len(part) for part in _download(served))],
        "VDE.UploadSnapshot": [lambda: _upload(served)],
        "VDE.SampleVectors": [
            lambda: [
                None
                for _ in served.channel.unary_stream("/headwater.v1.VDE/SampleVectors", None, None)(
                    vde_pb2.VDESampleVectorsRequest(collection_name="wide", count=10_000).SerializeToString()
                )
            ]
        ],
        "VDE.ImportPartition": [lambda: _import(served)],
    }


def _dear(served: Served) -> Mapping[str, list[Callable[[], object]]]:
    return {**_dear_points(served), **_dear_elsewhere(served)}


def _download(served: Served) -> Iterator[bytes]:
    request = vde_pb2.VDEDownloadSnapshotRequest(collection_name="texts", snapshot_name="s")
    yield from served.channel.unary_stream("/headwater.v1.VDE/DownloadSnapshot", None, None)(
        request.SerializeToString()
    )


def _upload(served: Served) -> object:
    """A manifest of many small values."""
    manifest = b'{"format": 1, "members": [' + b"{}," * (20 * MIB) + b"{}]}"
    header = b"manifest.json".ljust(100, b"\0") + b"0000644\0" + b"0000000\0" * 2 + b"%011o\0" % len(manifest)
    header += b"0" * 11 + b"\0"
    block = (header + b" " * 8 + b"0").ljust(512, b"\0")
    block = block[:148] + b"%06o\0 " % sum(block) + block[156:]
    data = block + manifest
    size = len(data)
    first = vde_pb2.VDEUploadSnapshotRequest(
        header={"collection_name": "u", "snapshot_name": "u", "size_bytes": size}
    ).SerializeToString()
    chunks = [
        vde_pb2.VDEUploadSnapshotRequest(chunk=data[start : start + MIB]).SerializeToString()
        for start in range(0, size, MIB)
    ]
    return served.channel.stream_unary("/headwater.v1.VDE/UploadSnapshot", None, None)(iter([first, *chunks]))


def _import(served: Served) -> object:
    header = vde_pb2.VDEImportPartitionRequest(header={"collection_name": "ivf"}).SerializeToString()
    rows = vde_pb2.VDEImportPartitionRequest(rows={"rows": [{"id": 1, "vector": [1.0] * 4_096}] * 400})
    part = rows.SerializeToString()
    if not served.client.collections.exists("ivf"):
        served.client.collections.create("ivf", VectorParams(4_096, Distance.Euclid, index="ivf"))
    return served.channel.stream_unary("/headwater.v1.VDE/ImportPartition", None, None)(iter([header, *[part] * 20]))


def test_every_rpc_has_its_dearest_request(served: Served) -> None:
    rpcs = {f"{service.name}.{rpc.name}" for service in SERVICES for rpc in service.methods}
    cheap = {f"{service}.{rpc}" for service, names in CHEAP.items() for rpc in names.split()}
    dear = _dear(served).keys()
    assert not dear & cheap
    assert dear | cheap | AS_ANOTHER.keys() == rpcs
    assert dear >= set(AS_ANOTHER.values())


def test_no_request_takes_more_memory_than_one_may(served: Served) -> None:
    """Each is sent twice: the first time may fill what is kept for all."""
    assert _too_large(served, _dear(served)) == {}


def test_no_message_of_many_small_parts_takes_more_memory_than_a_request_may(served: Served) -> None:
    asked: dict[str, list[Callable[[], object]]] = {}
    for service in SERVICES:
        for rpc in service.methods:
            if not rpc.client_streaming and not rpc.server_streaming:
                send = served.channel.unary_unary(f"/{service.full_name}/{rpc.name}", None, None)
                messages = islice(_messages_of_small_parts(rpc.input_type), MOST_PLACES)
                asked[f"{service.name}.{rpc.name}"] = [partial(send, raw, timeout=120) for raw in messages]
    bugs = {grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN}
    assert _too_large(served, asked, set(grpc.StatusCode) - bugs) == {}


def _too_large(
    served: Served,
    asked: Mapping[str, Sequence[Callable[[], object]]],
    refusals: Collection[grpc.StatusCode] = (grpc.StatusCode.RESOURCE_EXHAUSTED,),
) -> dict[str, tuple[int, ...]]:
    """The requests that take too much, and how many bytes each time. They are answered, or refused in these ways."""
    found: dict[str, tuple[int, ...]] = {}
    for rpc, requests in asked.items():
        for number, ask in enumerate(requests):
            grown = served.growth(ask, refusals), served.growth(ask, refusals)
            print(rpc, number, *(f"{size / MIB:.0f} MiB" for size in grown), flush=True)
            if min(grown) > MEMORY + SLACK:
                found[f"{rpc} {number}"] = grown
    return found
