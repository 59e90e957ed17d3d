"""Durable upserts against LMDB alone doing the same puts and syncs."""

import os
from pathlib import Path

import lmdb

from bench.data import Dataset
from bench.measure import Result, compare, wall
from bench.workload import Bench, upsert_request
from headwater import VectorParams
from headwater.v1 import points_pb2

BATCH = 256
BATCHES = 20
ROUNDS = 7


def upserts(bench: Bench, folder: Path) -> Result:
    """Batches of 256 points with one vector and a payload, one after another, each durable when it returns.

    The requests are built outside the clock: how fast a client builds them depends on its language.
    """
    rounds = []
    for number in range(ROUNDS):
        name = f"upserts-{number}"
        bench.client.collections.create(name, vectors_config=VectorParams(size=bench.data.definition.shape[1]))
        requests = [
            upsert_request(bench.data, name, range(start, start + BATCH)) for start in range(0, BATCH * BATCHES, BATCH)
        ]
        reference = wall(lambda: lmdb_alone(folder / f"lmdb-{number}", bench.data, requests))  # noqa: B023
        ours = wall(lambda: [bench.points.Upsert(request) for request in requests])  # noqa: B023
        rounds.append((ours, reference))
        bench.client.collections.delete(name)
    note = "request to durable reply, wall time"
    what = f"durable upserts in batches of {BATCH}"
    return compare(what, "LMDB and a file, the same puts and syncs", rounds, goal=2.0, note=note)


def lmdb_alone(folder: Path, data: Dataset, requests: list[points_pb2.PointsUpsertRequest]) -> None:
    """The ids, payloads and row references of `requests` put into LMDB, the vectors appended to a file, both synced."""
    folder.mkdir()
    payloads = [[point.payload.SerializeToString() for point in request.points] for request in requests]
    vectors = os.open(folder / "vectors", os.O_RDWR | os.O_CREAT)
    with lmdb.open(str(folder), map_size=2**32, max_dbs=4) as env:
        ids, points, rows = (env.open_db(name) for name in (b"ids", b"points", b"rows"))
        for number, batch in enumerate(payloads):
            os.pwrite(vectors, data.definition[:BATCH].tobytes(), number * data.definition[:BATCH].nbytes)
            os.fdatasync(vectors)
            with env.begin(write=True) as txn:
                for offset, payload in enumerate(batch):
                    slot = (number * BATCH + offset).to_bytes(4, "big")
                    txn.put(b"\x01" + slot.rjust(8, b"\0"), slot, db=ids)
                    txn.put(slot, payload, db=points)
                    txn.put(slot, slot.rjust(12, b"\0"), db=rows)
    os.close(vectors)
