"""Flame graphs of the server: `python -m bench.flame NAME [--data DIR] [--seconds N]` draws searches and upserts into
bench/flame-search-NAME.svg and bench/flame-upsert-NAME.svg.

py-spy samples the server's process (`pip install -e '.[bench]'`), as root or with the right to trace. It is there for
people to look at, and compares nothing.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from bench import data, workload
from bench.flame_drawing import Stack, flame
from headwater import SearchParams, VectorParams

EF = 64
K = 10
BATCH = 256
SECONDS = 8
SAMPLES = 500  # a second
_OUTER = ("Thread.", "_bootstrap", "run (threading")
_WAITS = ("wait (", "Condition.wait", "Event.wait", "_serve (grpc", "Threads._serve", "WriteThreads._run")
_REQUESTS = ("server/lanes", "server/rpc", "grpc/", "/writer.py")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.flame", description=__doc__.splitlines()[0])
    parser.add_argument("name", help="a part of the names of the files, such as before or after")
    parser.add_argument("--data", type=Path, help="a folder with files as in examples/data/wordnet; default: synthetic")
    parser.add_argument("--seconds", type=int, default=SECONDS, help="how long each kind of request is sampled")
    options = parser.parse_args()
    sampler = shutil.which("py-spy", path=str(Path(sys.executable).parent)) or shutil.which("py-spy")
    if sampler is None:
        parser.error("py-spy is not installed: pip install -e '.[bench]'")
    dataset = data.load(options.data)
    with (
        tempfile.TemporaryDirectory(prefix="headwater-bench-") as folder,
        workload.bench(dataset, Path(folder) / "data") as bench,
    ):
        for kind, request in (("search", _search(bench)), ("upsert", _upsert(bench))):
            file = Path(__file__).parent / f"flame-{kind}-{options.name}.svg"
            stacks = _sampled(sampler, bench.pid, request, options.seconds)
            file.write_text(flame(stacks, f"{kind}, {options.name}: {sum(stacks.values()):,} samples at work"))
            print(file)


def _sampled(sampler: str, pid: int, request: Callable[[int], object], seconds: int) -> Counter[Stack]:
    """Samples `pid` for some seconds, while one caller sends one request after the other."""
    request(0)
    with tempfile.NamedTemporaryFile() as file:
        command = [sampler, "record", "--pid", str(pid), "--rate", str(SAMPLES), "--duration", str(seconds)]
        command += ["--function", "--format", "raw", "--output", file.name]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            number = 1
            while process.poll() is None:
                request(number)
                number += 1
        if process.returncode:
            raise SystemExit(f"py-spy exited with {process.returncode}")
        return _working(file.read().decode().splitlines())


def _working(lines: Iterable[str]) -> Counter[Stack]:
    """The stacks of py-spy that work for requests. Threads that wait are counted by it on some systems."""
    found: Counter[Stack] = Counter()
    for line in lines:
        names, samples = line.rsplit(" ", 1)
        stack = tuple(name for name in names.split(";") if not name.startswith(_OUTER))
        waits = stack[-1:] and stack[-1].startswith(_WAITS)
        if stack and not waits and any(part in name for name in stack for part in _REQUESTS):
            found[stack] += int(samples)
    return found


def _search(bench: workload.Bench) -> Callable[[int], object]:
    queries, params = bench.data.queries, SearchParams(hnsw_ef=EF)

    def search(number: int) -> object:
        query = queries[number % len(queries)]
        return bench.client.points.search(
            workload.COLLECTION, query, using="definition", limit=K, params=params, with_payload=False
        )

    return search


def _upsert(bench: workload.Bench) -> Callable[[int], object]:
    """Requests over the same 20 batches of points, which are built before."""
    bench.client.collections.create("upserts", vectors_config=VectorParams(size=bench.data.definition.shape[1]))
    starts = range(0, 20 * BATCH, BATCH)
    requests = [workload.upsert_request(bench.data, "upserts", range(start, start + BATCH)) for start in starts]
    return lambda number: bench.points.Upsert(requests[number % len(requests)])


if __name__ == "__main__":
    main()
