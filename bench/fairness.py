"""What one caller feels of others: health checks and cheap searches while 8 connections send the dearest requests.

`python -m bench.fairness [--seconds N] [--finish N] [--only WORD] [--write]`. Figures are of one run: the p99 of
searches under load as a multiple of their p99 alone, and the p99 of health checks in milliseconds.
"""

import argparse
import multiprocessing
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import grpc
import numpy as np
from grpc_health.v1 import health_pb2, health_pb2_grpc

from bench.report import machine, put
from bench.rude_callers import LOADS, SIZE, search_request
from headwater import Client, Distance, PointStruct, VectorParams
from tests.support.server_process import running_server

ROWS, CALLERS = 20_000, 8
GOAL_HEALTH_MS, GOAL_SEARCH = 100.0, 10.0
BEGIN, END = "<!-- fairness: begin -->", "<!-- fairness: end -->"
_OPTIONS = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_receive_message_length", -1)]


@dataclass(frozen=True, slots=True)
class Felt:
    """Milliseconds at p99, of searches and of health checks, and how many dear requests were answered how."""

    search: float
    health: float
    outcomes: Mapping[str, int]


def main() -> None:
    """Measures every kind of load and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--finish", type=float, default=300.0, help="seconds to wait for a first answer of each kind")
    parser.add_argument("--only", default="")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    lines = [machine(), "", "| load of 8 connections | search p99 | as a multiple of alone | health p99 | answers |"]
    lines.append("|---|--:|--:|--:|---|")
    with tempfile.TemporaryDirectory() as folder, running_server(Path(folder) / "data") as address:
        _fill(address)
        alone = _measure(address, None, options.seconds, 0)
        lines.append(f"| none | {alone.search:.1f} ms | 1.0 | {alone.health:.1f} ms | |")
        print(lines[-1], file=sys.stderr)
        for name in (name for name in LOADS if options.only in name):
            felt = _measure(address, name, options.seconds, options.finish)
            lines.append(_row(name, felt, alone))
            print(lines[-1], file=sys.stderr)
    print("\n".join(lines))
    if options.write:
        put("\n".join(lines), Path(__file__).parent / "README.md", BEGIN, END)


def _row(name: str, felt: Felt, alone: Felt) -> str:
    ratio = felt.search / alone.search
    search = f"{ratio:.1f}" + ("" if ratio <= GOAL_SEARCH else " **missed**")
    health = f"{felt.health:.1f} ms" + ("" if felt.health <= GOAL_HEALTH_MS else " **missed**")
    answers = ", ".join(f"{count} {outcome}" for outcome, count in sorted(felt.outcomes.items()))
    return f"| {name} | {felt.search:.1f} ms | {search} | {health} | {answers} |"


def _measure(address: str, load: str | None, seconds: float, finish: float) -> Felt:
    """Searches and checks, one after the other each, for `seconds`, after the load has begun; then waits for an answer
    to it for at most `finish` seconds."""
    with multiprocessing.get_context("spawn").Manager() as manager:
        counts = manager.dict()
        process = multiprocessing.get_context("spawn").Process(target=_press, args=(address, load, counts), daemon=True)
        if load is not None:
            process.start()
            time.sleep(3.0)  # it has to start, and its requests to arrive
        waits: dict[str, list[float]] = {"search": [], "health": []}
        threads = [threading.Thread(target=_ask, args=(address, kind, seconds, waits[kind])) for kind in waits]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        end = time.monotonic() + finish
        while load is not None and not counts and time.monotonic() < end:
            time.sleep(0.5)
        outcomes = dict(counts)
        if load is not None:
            process.kill()
            process.join()
            time.sleep(1.0)
        p99 = {kind: float(np.percentile(times, 99)) * 1e3 for kind, times in waits.items()}
        return Felt(p99["search"], p99["health"], outcomes)


def _ask(address: str, kind: str, seconds: float, waits: list[float]) -> None:
    with grpc.insecure_channel(address, _OPTIONS) as channel:
        search = channel.unary_unary("/headwater.v1.Points/Search", None, None)
        check = health_pb2_grpc.HealthStub(channel).Check
        request = search_request().SerializeToString()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            started = time.perf_counter()
            if kind == "search":
                search(request, timeout=60)
            else:
                check(health_pb2.HealthCheckRequest(), timeout=60)
            waits.append(time.perf_counter() - started)
            time.sleep(0.005)


def _press(address: str, load: str, counts: dict[str, int]) -> None:
    lock = threading.Lock()

    def press() -> None:
        with grpc.insecure_channel(address, _OPTIONS) as channel:
            while True:
                outcome = LOADS[load](channel)
                with lock:
                    counts[outcome] = counts.get(outcome, 0) + 1

    threads = [threading.Thread(target=press) for _ in range(CALLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _fill(address: str) -> None:
    random = np.random.default_rng(1)
    with Client(address, timeout=600) as client:
        for name in ("c", "written"):
            client.collections.create(name, VectorParams(SIZE, Distance.Cosine))
        text = "x" * 100
        rows = random.standard_normal((ROWS, SIZE)).astype(np.float32)
        payloads = ({"n": n, "group": n % 2_000, "text": f"{text}{n}"} for n in range(ROWS))
        client.upload_points("c", (PointStruct(n, row, next(payloads)) for n, row in enumerate(rows)))
        client.vde.optimize("c", timeout=600)
        client.vde.create_snapshot("c", "s")


if __name__ == "__main__":
    main()
