"""Runs all benchmarks and prints the table: `python -m bench [--data DIR] [--rows N] [--only WORD] [--write]`.

Rows whose reference is a library that is not installed (`pip install -e '.[bench]'`) are named and left out.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench import data, inner, lifetimes, rates, reads, report, searches, texts, workload, writes
from bench.measure import Result, Skipped

EFS = (64, 128)

Row = Result | Skipped


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="a folder with files as in examples/data/wordnet; default: synthetic")
    parser.add_argument("--rows", type=int, help="repeat the rows, with noise, until there are so many")
    parser.add_argument("--only", default="", help=f"the groups to measure, of {', '.join(GROUPS)}; default: all")
    parser.add_argument("--write", action="store_true", help="put the table into bench/README.md and draw results.svg")
    options = parser.parse_args()
    wanted = options.only.split(",") if options.only else list(GROUPS)
    if unknown := [name for name in wanted if name not in GROUPS]:
        parser.error(f"there is no group {unknown[0]!r}: choose of {', '.join(GROUPS)}")
    dataset = data.load(options.data)
    if options.rows:
        dataset = data.repeated(dataset, options.rows)
    results: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="headwater-bench-") as name:
        for result in _measure(dataset, Path(name), wanted):
            results.append(result)
            print(_told(result), file=sys.stderr)
    print(report.table(results, dataset.name))
    if options.write:
        report.write(results, dataset.name, Path(__file__).parent)


def _told(result: Row) -> str:
    if isinstance(result, Skipped):
        return f"{result.what}: not measured, since {result.reason}"
    return f"{result.what}: {result.ratio:.2f} ({result.aim}) {result.note}"


def _measure(dataset: data.Dataset, folder: Path, wanted: list[str]) -> Iterator[Row]:
    if set(wanted) & _LOADED.keys():
        with workload.bench(dataset, folder / "data") as bench:
            for name in (name for name in _LOADED if name in wanted):
                yield from _LOADED[name](bench, folder)
    for name in (name for name in _ALONE if name in wanted):
        yield from _ALONE[name](dataset, folder)


def _searches(bench: workload.Bench, folder: Path) -> Iterator[Row]:
    for ef in EFS:
        yield searches.single(bench, ef)
    for ef in EFS:
        yield searches.batch(bench, ef)
    yield searches.hybrid(bench)


def _filtered(bench: workload.Bench, folder: Path) -> Iterator[Row]:
    yield from searches.filtered(bench)
    yield from searches.first_filtered(bench)


def _upserts(bench: workload.Bench, folder: Path) -> Iterator[Row]:
    yield writes.upserts(bench, folder)


def _inner(bench: workload.Bench, folder: Path) -> Iterator[Row]:
    try:
        yield from inner.inner(bench, folder)
    except ImportError as error:
        yield Skipped("inner search", f"{error.name} is not installed")


def _texts(dataset: data.Dataset, folder: Path) -> Iterator[Row]:
    try:
        yield from texts.rows(dataset)
    except ImportError as error:
        yield Skipped("BM25, two terms", f"{error.name} is not installed")


_LOADED = {
    "searches": _searches,
    "filtered": _filtered,
    "rates": rates.rates,
    "reads": reads.reads,
    "inner": _inner,
    "upserts": _upserts,
}
_ALONE = {"texts": _texts, "opening": lifetimes.opening, "building": lifetimes.building}
GROUPS = [*_LOADED, *_ALONE]


if __name__ == "__main__":
    main()
