"""Runs all benchmarks and prints the table: `python -m bench [--data DIR] [--write]`."""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench import data, report, searches, workload, writes
from bench.measure import Result

EF = 128


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="a folder with files as in examples/data/wordnet; default: synthetic")
    parser.add_argument("--write", action="store_true", help="put the table into bench/README.md and draw results.svg")
    options = parser.parse_args()
    dataset = data.load(options.data)
    results: list[Result] = []
    with tempfile.TemporaryDirectory(prefix="headwater-bench-") as name:
        folder = Path(name)
        with workload.bench(dataset, folder / "data") as bench:
            for result in _measure(bench, folder):
                results.append(result)
                print(f"{result.what}: {result.ratio:.2f} (goal {result.goal}) {result.note}", file=sys.stderr)
    print(report.table(results, dataset.name))
    if options.write:
        report.write(results, dataset.name, Path(__file__).parent)


def _measure(bench: workload.Bench, folder: Path) -> Iterator[Result]:
    yield searches.single(bench, EF)
    yield searches.batch(bench, EF)
    yield from searches.filtered(bench)
    yield searches.hybrid(bench)
    yield writes.upserts(bench, folder)


if __name__ == "__main__":
    main()
