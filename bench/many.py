"""Far more collections than may be open at once: `python -m bench.many [--collections N]`.

The server runs with `ulimit -n 1024`. Its collections are made, written, read in random order, read again after a
restart, and deleted; then as many as `--open` are opened at once, and the server is stopped.
"""

import argparse
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from headwater import Client, PointStruct, VectorParams
from tests.support.server_process import server_process

DESCRIPTORS = 1024
SIZE = 32
OPENED_GOAL = 0.020
STOP_GOAL = 5.0
AGAIN = 200
"""Collections of which one after the other is opened again, and read once more while it is open."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.many", description=__doc__.splitlines()[0])
    parser.add_argument("--collections", type=int, default=10_000)
    parser.add_argument("--open", type=int, default=2_000, help="collections that are open at the stop")
    options = parser.parse_args()
    names = [f"tenant-{number}" for number in range(options.collections)]
    with tempfile.TemporaryDirectory(prefix="headwater-bench-") as folder:
        data = Path(folder) / "data"
        print("| what | each, ms (median) | 99 % within, ms | goal, ms |\n|---|--:|--:|--:|")
        with _served(data, descriptors=DESCRIPTORS) as (_, client):
            _row("create", _times(lambda name: client.collections.create(name, VectorParams(SIZE)), names))
            _row("write a point", _times(lambda name: client.points.upsert(name, [_point(1)]), names))
            _row("read, in random order", _times(lambda name: _read(client, name), _shuffled(names)))
        with _served(data, descriptors=DESCRIPTORS) as (_, client):
            _row("read after a restart", _times(lambda name: _read(client, name), _shuffled(names)))
            opened, again = _opened_again(client, names)
            _row("open a small collection again", opened, OPENED_GOAL)
            _row("read it while it is open", again)
        opened_at_once = min(options.open, len(names))
        arguments = ("--map-size", str(2**30), "--max-open-collections", str(opened_at_once))
        with _served(data, *arguments) as (process, client):
            for name in names[:opened_at_once]:
                _read(client, name)
            _row(f"stop with {opened_at_once:,} open", [_stop(process)], STOP_GOAL)
        with _served(data, descriptors=DESCRIPTORS) as (_, client):
            _row("delete", _times(client.collections.delete, names))
            left = client.collections.list()
            if left:
                sys.exit(f"collections are left: {left[:3]} ...")


@contextmanager
def _served(
    data: Path, *arguments: str, descriptors: int | None = None
) -> Iterator[tuple["subprocess.Popen[str]", Client]]:
    """A server that may have so many descriptors at most, and a client of it."""
    with (
        server_process(data, options=arguments, descriptors=descriptors) as (process, address),
        Client(address, timeout=60, retries=0) as client,
    ):
        yield process, client


def _point(number: int) -> PointStruct:
    return PointStruct(number, [1.0] * SIZE, {"number": number})


def _read(client: Client, name: str) -> None:
    if len(client.points.get(name, [1])) != 1:
        raise AssertionError(f"the point of {name} is gone")


def _opened_again(client: Client, names: Sequence[str]) -> tuple[list[float], list[float]]:
    """Times of the first read of a collection that is closed, less that of a read while it is open; and of those."""
    opened, again = [], []
    for name in _shuffled(names)[:AGAIN]:
        client.vde.close(name)
        first = _time(lambda: _read(client, name))  # noqa: B023
        second = min(_time(lambda: _read(client, name)) for _ in range(3))  # noqa: B023
        opened.append(first - second)
        again.append(second)
    return opened, again


def _stop(process: "subprocess.Popen[str]") -> float:
    process.send_signal(signal.SIGTERM)
    return _time(process.wait)


def _shuffled(names: Sequence[str]) -> list[str]:
    return random.Random(1).sample(names, len(names))


def _times(call: Callable[[str], object], names: Sequence[str]) -> list[float]:
    return [_time(lambda: call(name)) for name in names]  # noqa: B023


def _time(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _row(what: str, seconds: Sequence[float], goal: float | None = None) -> None:
    middle = statistics.median(seconds)
    most = sorted(seconds)[int(0.99 * len(seconds))]
    missed = " **missed**" if goal is not None and middle > goal else ""
    told = "" if goal is None else f"{1000 * goal:,.0f}"
    print(f"| {what} | {1000 * middle:,.1f}{missed} | {1000 * most:,.1f} | {told} |", flush=True)


if __name__ == "__main__":
    main()
