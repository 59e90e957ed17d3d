"""Filtered searches by selectivity and by how the filter lies to the query, and the constants that choose between
scanning and walking: `python -m bench.selectivity [--data DIR] [--rows 1000000] [--keep FOLDER] [--write]`.

Random filters let rows through wherever they are. Near and far ones take an end of the space, along one direction;
near queries lie inside what the filter lets through, far ones at the other end, where it drops all their neighbours.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench import data, report
from bench.engine import settle
from bench.measure import wall
from headwater import Client, Field, PointStruct, SearchParams, VectorParams
from headwater.filters import Condition
from tests.support.server_process import server_process

K, EF = 10, 128
SHARES = (0.001, 0.01, 0.03, 0.1, 0.3, 0.5)
QUERIES, ROUNDS = 40, 5
COLLECTION = "selectivity"
BEGIN, END = "<!-- selectivity: begin -->", "<!-- selectivity: end -->"
PARAMS = SearchParams(hnsw_ef=EF)

Rows = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Source:
    """Rows (n, d), queries (m, d), and of each row its place in a random order and along one direction, (n,)."""

    name: str
    rows: Rows
    queries: Rows
    rank: NDArray[np.int64]
    along: NDArray[np.int64]
    direction: Rows


@dataclass(frozen=True, slots=True)
class Point:
    """One line of the table. `ratio`: time of the filtered search by that of the same search unfiltered."""

    data: str
    lies: str
    share: float
    ratio: float
    recall: float
    shortest: int
    strategy: str


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.selectivity", description=__doc__)
    parser.add_argument("--data", type=Path, help="a folder with files as in examples/data/wordnet")
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the synthetic data")
    parser.add_argument("--dimensions", type=int, default=96, help="dimensions of the synthetic data")
    parser.add_argument("--keep", type=Path, help="a folder for the collections, used again if it has them")
    parser.add_argument("--write", action="store_true", help="put the table into bench/README.md, draw selectivity.svg")
    options = parser.parse_args()
    sources = [_synthetic(options.rows, options.dimensions)]
    if options.data is not None:
        sources.insert(0, _from_files(options.data))
    points: list[Point] = []
    lines = [report.machine(), ""]
    with tempfile.TemporaryDirectory(prefix="headwater-bench-") as name:
        for source in sources:
            folder = (options.keep or Path(name)) / source.name.replace(" ", "-").replace(",", "")
            for point in measured(source, folder):
                print(point, flush=True)
                points.append(point)
            lines.append(f"* {source.name}: {_constants(folder)}")
    lines += ["", *_table(points)]
    print("\n".join(lines))
    if options.write:
        here = Path(__file__).parent
        report.put("\n".join(lines), here / "README.md", BEGIN, END)
        (here / "selectivity.svg").write_text(_picture(points), encoding="utf8")


def _constants(folder: Path) -> str:
    """What bench/crossover.py finds in a process of its own, since mathematics gets its threads when it is loaded."""
    command = [sys.executable, "-m", "bench.crossover", str(folder)]
    found = subprocess.run(command, env={**os.environ, "OPENBLAS_NUM_THREADS": "1"}, stdout=subprocess.PIPE, check=True)
    return found.stdout.decode().strip()


def _from_files(folder: Path) -> Source:
    source = data.load(folder)
    centred = source.definition - source.definition.mean(axis=0)
    direction = np.linalg.eigh(centred.T @ centred)[1][:, -1].astype(np.float32)
    return _placed(source.name, source.definition, source.queries, direction)


def _synthetic(rows: int, dimensions: int) -> Source:
    found, queries = data.clustered(rows=rows, dimensions=dimensions, queries=2_000)
    return _placed(f"synthetic, {rows:,} rows of {dimensions}", found, queries, None)


def _placed(name: str, rows: Rows, queries: Rows, direction: Rows | None) -> Source:
    """`direction` None: a random one."""
    random = np.random.default_rng(11)
    if direction is None:
        direction = np.asarray(random.standard_normal(rows.shape[1]), np.float32)
        direction /= np.linalg.norm(direction)
    along = np.argsort(np.argsort(rows @ direction, kind="stable"))
    return Source(name, rows, queries, random.permutation(len(rows)), along, direction)


def measured(source: Source, folder: Path) -> Iterator[Point]:
    """Loads the rows unless `folder` has them, and measures every share and lie."""
    fresh = not folder.exists()
    with server_process(folder) as (_, address), Client(address, timeout=3_600) as client:
        if fresh:
            _load(client, source)
        settle(client, COLLECTION, seconds=7_200)
        order = np.argsort(source.queries @ source.direction)
        count = len(source.rows)
        for share in SHARES:
            most = max(K, round(count * share))
            ends = (source.along >= count - most, Field("along").gte(count - most))
            for lies, queries, (allowed, condition) in (
                ("random", source.queries[:QUERIES], (source.rank < most, Field("rank").lt(most))),
                ("near", source.queries[order[-QUERIES:]], ends),
                ("far", source.queries[order[:QUERIES]], ends),
            ):
                yield _measure(client, source, (share, lies), queries, allowed, condition)


def _measure(
    client: Client,
    source: Source,
    what: tuple[float, str],
    queries: Rows,
    allowed: NDArray[np.bool_],
    condition: Condition,
) -> Point:
    def search(filter: Condition | None) -> list[set[int]]:
        return [
            {
                int(hit.id)
                for hit in client.points.search(
                    COLLECTION, query, limit=K, filter=filter, params=PARAMS, with_payload=False
                )
            }
            for query in queries
        ]

    found = search(condition)
    ratios = [wall(partial(search, condition)) / wall(partial(search, None)) for _ in range(ROUNDS)]
    search_node = client.points.explain(
        COLLECTION, query=queries[0], limit=K, filter=condition, params=PARAMS, analyze=True
    ).root
    while search_node.children:
        [search_node] = search_node.children
    strategy = "scan after a walk" if "after all" in search_node.reason else search_node.strategy
    rows = np.flatnonzero(allowed)
    matching = source.rows[rows]
    truth = [set(rows[np.argpartition(-(matching @ query), min(K, len(rows)) - 1)[:K]].tolist()) for query in queries]
    recall = float(np.mean([len(one & two) / len(two) for one, two in zip(found, truth, strict=True)]))
    share, lies = what
    return Point(source.name, lies, share, statistics.median(ratios), recall, min(map(len, found)), strategy)


def _load(client: Client, source: Source) -> None:
    client.collections.create(
        COLLECTION,
        vectors_config=VectorParams(size=source.rows.shape[1]),
        optimizers_config={"indexing_threshold": len(source.rows)},
    )
    points = (
        PointStruct(id=row, vector=vector, payload={"rank": int(source.rank[row]), "along": int(source.along[row])})
        for row, vector in enumerate(source.rows)
    )
    client.upload_points(COLLECTION, points, batch_size=2_000)


def _table(points: list[Point]) -> Iterator[str]:
    yield "| data | filter | match | strategy | time, as a multiple of unfiltered | recall@10 | shortest answer |"
    yield "|---|---|--:|---|--:|--:|--:|"
    for point in points:
        mark = "" if point.ratio <= 3 and point.recall >= 0.99 and point.shortest == K else " **missed**"
        yield (
            f"| {point.data} | {point.lies} | {point.share:.1%} | {point.strategy} | {point.ratio:.2f}{mark} |"
            f" {point.recall:.3f} | {point.shortest} |"
        )


def _picture(points: list[Point]) -> str:
    """Time by selectivity, one panel for each data set and one line for each kind of filter."""
    colours = {"random": "#3b7dd8", "near": "#3fa34d", "far": "#d8563b"}
    panels = []
    names = list(dict.fromkeys(point.data for point in points))
    top = max(3.5, *(point.ratio * 1.1 for point in points))
    for number, name in enumerate(names):
        left = 60 + number * 460
        panels.append(f'<text x="{left}" y="24" font-weight="600">{name}</text>')
        panels.append(_level(left, 3.0, top, "#222") + _level(left, 1.0, top, "#bbb"))
        for column, share in enumerate(SHARES):
            panels.append(f'<text x="{left + 30 + column * 72}" y="330" text-anchor="middle">{share:.1%}</text>')
        for row, (lies, colour) in enumerate(colours.items()):
            chosen = [point for point in points if point.data == name and point.lies == lies]
            line = " ".join(
                f"{left + 30 + SHARES.index(point.share) * 72},{_height(point.ratio, top):.0f}" for point in chosen
            )
            panels.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
            panels.append(f'<text x="{left + row * 80}" y="354" fill="{colour}">{lies}</text>')
    width = 60 + len(names) * 460
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} 370" width="{width}" height="370" '
        'font-family="system-ui, sans-serif" font-size="13" fill="#222"><rect width="100%" height="100%" fill="#fff"/>'
        + "".join(panels)
        + "</svg>\n"
    )


def _height(ratio: float, top: float) -> float:
    return 310 - 270 * ratio / top


def _level(left: int, ratio: float, top: float, colour: str) -> str:
    y = _height(ratio, top)
    return (
        f'<line x1="{left}" x2="{left + 420}" y1="{y:.0f}" y2="{y:.0f}" stroke="{colour}" stroke-dasharray="4"/>'
        f'<text x="{left - 8}" y="{y + 4:.0f}" text-anchor="end">{ratio:g}</text>'
    )


if __name__ == "__main__":
    main()
