"""Does it help? MRR, nDCG and recall of every shape of query, on judged ones: `python -m bench.quality --data DIR`.

It writes docs/quality.md and docs/quality.svg. Every search is exact, so the numbers are those of the methods.
"""

import argparse
import gzip
import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray

from bench.data import load
from examples.own_server import own_server
from headwater import (
    Bm25,
    Client,
    Dbsf,
    PointStruct,
    PrefetchQuery,
    QueryRequest,
    Rrf,
    SearchParams,
    TextIndexParams,
    VectorParams,
)

DOCS = Path(__file__).resolve().parents[1] / "docs"
AT_ONCE = 62
TOP = 10
PLAIN = {"definition.plain": 1.0, "lemmas.plain": 1.0}
STEMMED = {"definition.stemmed": 1.0, "lemmas.stemmed": 1.0}
DOUBLED = {"definition.plain": 1.0, "lemmas.plain": 2.0}
EXACT = SearchParams(exact=True)


@dataclass(frozen=True, slots=True)
class Judged:
    """A query: its text, its vector (float32, (d,)), and the id of the one relevant point."""

    text: str
    vector: NDArray[np.float32]
    relevant: int


Method = Callable[[Judged], QueryRequest]


@dataclass(frozen=True, slots=True)
class Result:
    """What a method reached, each from 0 to 1: means over all queries, of the ten best hits."""

    group: str
    name: str
    mrr: float
    ndcg: float
    recall: float


def definition(query: Judged, limit: int = 50) -> PrefetchQuery:
    return PrefetchQuery(query.vector, using="definition", limit=limit, params=EXACT)


def lemmas(query: Judged, limit: int = 50) -> PrefetchQuery:
    return PrefetchQuery(query.vector, using="lemmas", limit=limit, params=EXACT)


def words(query: Judged, limit: int = 50) -> PrefetchQuery:
    return PrefetchQuery(bm25(query), limit=limit)


def doubled(query: Judged, limit: int = 50) -> PrefetchQuery:
    return PrefetchQuery(bm25(query, DOUBLED), limit=limit)


def bm25(query: Judged, fields: dict[str, float] = PLAIN, combine: str = "sum") -> Bm25:
    return Bm25(query.text, fields, combine, plain=True)


Leaf = Callable[[Judged], PrefetchQuery]
PAIRS: dict[str, tuple[Leaf, ...]] = {
    "definition, lemmas": (definition, lemmas),
    "lemmas, BM25": (lemmas, words),
    "lemmas, BM25 with lemmas twice": (lemmas, doubled),
    "definition, BM25": (definition, words),
    "definition, lemmas, BM25": (definition, lemmas, words),
}


def methods() -> Iterator[tuple[str, str, Method]]:
    """Group, name, and the query of each."""
    yield "one leaf", "definition", lambda query: QueryRequest(query.vector, using="definition", params=EXACT)
    yield "one leaf", "lemmas", lambda query: QueryRequest(query.vector, using="lemmas", params=EXACT)
    yield "one leaf", "BM25", lambda query: QueryRequest(bm25(query))
    yield "one leaf", "BM25, stemmed", lambda query: QueryRequest(bm25(query, STEMMED))
    yield "one leaf", "BM25, max over fields", lambda query: QueryRequest(bm25(query, combine="max"))
    yield "one leaf", "BM25, lemmas count twice", lambda query: QueryRequest(bm25(query, DOUBLED))
    for name, leaves in PAIRS.items():
        for k in (60.0, 10.0, 2.0):
            yield "RRF", f"{name}; k = {k:g}", fused(Rrf(k), leaves)
        yield "DBSF", name, fused(Dbsf(), leaves)
    for weights in ((1, 3, 3), (1, 5, 5)):
        shown, leaves = ":".join(map(str, weights)), PAIRS["definition, lemmas, BM25"]
        yield "RRF", f"definition, lemmas, BM25; k = 2, weights {shown}", fused(Rrf(2.0, weights), leaves)
        yield "DBSF", f"definition, lemmas, BM25; weights {shown}", fused(Dbsf(weights), leaves)
    yield "re-rank", "definition 100, by lemmas", reranked("lemmas", definition)
    yield "re-rank", "BM25 100, by lemmas", reranked("lemmas", words)
    yield "re-rank", "BM25 100 with lemmas twice, by lemmas", reranked("lemmas", doubled)
    yield "re-rank", "BM25 100, by definition", reranked("definition", words)
    yield "re-rank", "lemmas 100, by BM25", lambda query: QueryRequest(bm25(query), prefetch=[lemmas(query, 100)])
    yield "re-rank", "lemmas 100 and BM25 100, by lemmas", reranked("lemmas", lemmas, words)


def fused(fusion: Rrf | Dbsf, leaves: Sequence[Leaf]) -> Method:
    return lambda query: QueryRequest(fusion, prefetch=[leaf(query) for leaf in leaves])


def reranked(using: str, *leaves: Callable[[Judged, int], PrefetchQuery]) -> Method:
    return lambda query: QueryRequest(query.vector, using=using, prefetch=[leaf(query, 100) for leaf in leaves])


def fill(client: Client, folder: Path) -> list[Judged]:
    """Stores the points of `folder` and returns its judged queries. Examples are left out: queries are made of them."""
    data = load(folder)
    size = data.definition.shape[1]
    english = TextIndexParams(language="english", stop_words=True)
    stemmed = TextIndexParams(language="english", stop_words=True, stemming=True)
    indexes = {**dict.fromkeys(PLAIN, english), **dict.fromkeys(STEMMED, stemmed)}
    spaces = {"definition": VectorParams(size), "lemmas": VectorParams(size)}
    client.collections.create("wordnet", spaces, text_indexes=indexes, optimizers_config={"indexing_threshold": 10**8})
    rows = zip(data.definition, data.lemmas, data.payloads, strict=True)
    client.points.upload_points(
        "wordnet",
        (
            PointStruct(number, {"definition": one, "lemmas": other}, {name: _both(payload[name]) for name in spaces})
            for number, (one, other, payload) in enumerate(rows)
        ),
    )
    with gzip.open(folder / "queries.jsonl.gz", "rt", encoding="utf8") as file:
        judged = [json.loads(line) for line in file]
    return [Judged(each["text"], row, each["relevant_id"]) for each, row in zip(judged, data.queries, strict=True)]


def _both(text: object) -> dict[str, object]:
    return {"plain": text, "stemmed": text}


def measure(client: Client, queries: Sequence[Judged], group: str, name: str, method: Method) -> Result:
    ranks: list[int | None] = []
    for start in range(0, len(queries), AT_ONCE):
        part = queries[start : start + AT_ONCE]
        for query, hits in zip(part, client.points.query_batch("wordnet", list(map(method, part))), strict=True):
            found = [hit.id for hit in hits[:TOP]]
            ranks.append(found.index(query.relevant) + 1 if query.relevant in found else None)
    held = [rank for rank in ranks if rank is not None]
    count = len(ranks)
    return Result(
        group,
        name,
        sum(1 / rank for rank in held) / count,
        sum(1 / math.log2(1 + rank) for rank in held) / count,
        len(held) / count,
    )


def table(results: Sequence[Result]) -> str:
    lines = ["| | | MRR@10 | nDCG@10 | recall@10 |", "|---|---|--:|--:|--:|"]
    best = max(result.mrr for result in results)
    for result in results:
        mrr = f"**{result.mrr:.3f}**" if result.mrr == best else f"{result.mrr:.3f}"
        lines.append(f"| {result.group} | {result.name} | {mrr} | {result.ndcg:.3f} | {result.recall:.3f} |")
    return "\n".join(lines)


def plot(results: Sequence[Result]) -> str:
    """Bars of MRR@10, one a method, as SVG."""
    row, left, width = 18, 380, 420
    scale = width / max(result.mrr for result in results)
    colors = {"one leaf": "#8a8f98", "RRF": "#3b82c4", "DBSF": "#2a9d6f", "re-rank": "#c9772b"}
    height = row * len(results) + 34
    style = "font: 12px sans-serif; fill: #666"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + width + 60} {height}" style="{style}">'
    lines = [head, f'<text x="{left}" y="16">MRR@10</text>']
    for number, result in enumerate(results):
        y, length = 26 + number * row, result.mrr * scale
        label = escape(f"{result.group}: {result.name}")
        lines.append(f'<text x="{left - 8}" y="{y + 11}" text-anchor="end">{label}</text>')
        lines.append(f'<rect x="{left}" y="{y}" width="{length:.1f}" height="13" fill="{colors[result.group]}"/>')
        lines.append(f'<text x="{left + length + 5:.1f}" y="{y + 11}">{result.mrr:.3f}</text>')
    return "\n".join([*lines, "</svg>", ""])


PAGE = """# Does it help?

{queries} queries run on {points:,} points of WordNet. A query is a usage example, and the one relevant point is the
synset that it is an example of. Points have two vectors by all-MiniLM-L6-v2, one of the definition and one of the
lemmas, and a text index of each, without the examples. All searches are exact. Prefetches pass on 50 points unless a
number is given. `python -m bench.quality --data DIR` wrote this page. The standard error of a mean is about .015, so
methods with nearly equal numbers cannot be told apart.

- The best single leaf is {leaf.name}, with MRR@10 {leaf.mrr:.3f}.
- The best of all is {best.name} ({best.group}), with {best.mrr:.3f}.
- Fusing the two vector searches with equal weights and k = 60 gives {fusion.mrr:.3f}. This is less than the better of
  them alone ({strong.mrr:.3f}). The list of the definition is weak here ({weak.mrr:.3f}), and a fusion by ranks trusts
  it as much as the other.
- Where lists differ in quality, weights and a small k help. To leave the weak list out helps more.

![MRR@10 of every method](quality.svg)

{table}
"""


def page(results: Sequence[Result], queries: int, points: int) -> str:
    by_name = {f"{result.group}: {result.name}": result for result in results}
    return PAGE.format(
        queries=queries,
        points=points,
        leaf=max((result for result in results if result.group == "one leaf"), key=lambda result: result.mrr),
        best=max(results, key=lambda result: result.mrr),
        fusion=by_name["RRF: definition, lemmas; k = 60"],
        strong=by_name["one leaf: lemmas"],
        weak=by_name["one leaf: definition"],
        table=table(results),
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.quality", description=__doc__)
    parser.add_argument(
        "--data", type=Path, required=True, help="a folder with WordNet, its vectors and judged queries"
    )
    parser.add_argument("--out", type=Path, default=DOCS, help="where the page and its plot are written")
    given = parser.parse_args()
    with own_server() as address, Client(address) as client:
        queries = fill(client, given.data)
        results = [measure(client, queries, *method) for method in methods()]
        points = client.points.count("wordnet")
    (given.out / "quality.md").write_text(page(results, len(queries), points), encoding="utf-8")
    (given.out / "quality.svg").write_text(plot(results), encoding="utf-8")
    print(table(results))


if __name__ == "__main__":
    main()
