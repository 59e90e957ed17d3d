"""Points read by id and pages of a scroll, against LMDB gets of as many records and an empty RPC."""

import random
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import lmdb

from bench.measure import Result, compare, own_processor, processor
from bench.workload import COLLECTION, Bench
from headwater.v1 import points_pb2

COUNT = 100
CALLS = 100
ROUNDS = 7


def reads(bench: Bench, folder: Path) -> Iterator[Result]:
    """Server processor time. The reference reads each point's row by its id, and its record by the row."""
    rows = len(bench.data.payloads)
    drawn = random.Random(1)
    asked = [drawn.sample(range(rows), COUNT) for _ in range(CALLS)]
    gets = [_get(ids) for ids in asked]
    pages = [_page(ids[0] % (rows - COUNT)) for ids in asked]
    with _records(bench, folder / "records") as env:

        def empty() -> None:
            for _ in range(CALLS):
                bench.empty_call()

        def alone(ids: list[list[int]]) -> float:
            return own_processor(lambda: [_read(env, each) for each in ids]) + processor(bench.pid, empty)

        starts = [ids[0] % (rows - COUNT) for ids in asked]
        following = [list(range(start, start + COUNT)) for start in starts]
        for what, call, requests, ids in (
            (f"get of {COUNT} points", bench.points.Get, gets, asked),
            (f"a scroll page of {COUNT}", bench.points.Scroll, pages, following),
        ):
            rounds = [(processor(bench.pid, partial(_all, call, requests)), alone(ids)) for _ in range(ROUNDS)]
            reference = "LMDB gets of the same + an empty RPC"
            yield compare(what, reference, rounds, goal=1.5, note="payloads, no vectors; server processor time")


def _all(call: Any, requests: Sequence[Any]) -> None:
    for request in requests:
        call(request)


def _get(ids: list[int]) -> points_pb2.PointsGetRequest:
    request = points_pb2.PointsGetRequest(collection_name=COLLECTION)
    for number in ids:
        request.ids.add(number=number)
    request.with_payload.enable = True
    return request


def _page(after: int) -> points_pb2.PointsScrollRequest:
    request = points_pb2.PointsScrollRequest(collection_name=COLLECTION, limit=COUNT)
    request.offset.number = after
    request.with_payload.enable = True
    return request


def _records(bench: Bench, folder: Path) -> lmdb.Environment:
    """Rows by id, and payloads by row, as the server keeps them."""
    folder.mkdir()
    env = lmdb.open(str(folder), map_size=2**32, max_dbs=2)
    ids, points = env.open_db(b"ids"), env.open_db(b"points")
    with env.begin(write=True) as txn:
        for number, payload in enumerate(bench.data.payloads):
            row = number.to_bytes(4, "big")
            txn.put(b"\x01" + number.to_bytes(8, "big"), row, db=ids)
            txn.put(row, str(payload).encode(), db=points)
    return env


def _read(env: lmdb.Environment, ids: list[int]) -> list[bytes | None]:
    names, points = env.open_db(b"ids"), env.open_db(b"points")
    with env.begin() as txn:
        rows = [txn.get(b"\x01" + number.to_bytes(8, "big"), db=names) for number in ids]
        return [txn.get(row, db=points) for row in rows if row is not None]
