"""Full text against tantivy, in one process: `python -m bench.texts [--data DIR] [--rows N]`.

It needs tantivy, of the extra `bench`. Both have the same tokens, and are asked for the ten best of two terms.
Tantivy's time is that of its search. Ours is that of the search alone, which also counts all that match and orders ties
by id, and of the whole query through the planner.
"""

import argparse
import importlib
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from bench import data
from bench.measure import Result, compare
from planner.engine import Engine
from planner.filtering import FilterCache, FilterSets
from planner.query import Bm25, Query, Stage
from planner.rank import RunContext, SearchRequest
from planner.rank.by_text import ByText
from planner.text import Analyzer, SearchedField, TextIndexes
from server.convert import ProtobufPayloadCodec
from storage.budget import UNLIMITED
from storage.collection import Collection
from storage.database import Database
from storage.schema import CollectionSchema, TextSettings
from storage.write import Upsert

ROWS = 120_000
K = 10
FIELD = "text"
ROUNDS = 7
QUERIES = 500
FREQUENT = 40
BATCH = 2_000
SETTINGS = TextSettings(language="english", remove_stop_words=True)

Tokens = list[list[str]]
Pair = tuple[str, str]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.texts", description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="a folder with files as in examples/data/wordnet; default: synthetic")
    parser.add_argument("--rows", type=int, default=ROWS, help="texts; those of fewer are put together in pairs")
    options = parser.parse_args()
    texts = list(_texts(data.load(options.data).payloads, options.rows))
    print("| what | reference | ratio (lowest to highest round) | goal | note |\n|---|---|--:|--:|---|")
    for result in _measure(texts):
        mark = "" if result.reached else " **missed**"
        ratio = f"{result.ratio:.2f} ({result.low:.2f} to {result.high:.2f}){mark}"
        print(f"| {result.what} | {result.reference} | {ratio} | {result.goal} | {result.note} |", flush=True)


def rows(dataset: data.Dataset) -> Iterator[Result]:
    """The rows of `make bench`: the search alone."""
    texts = list(_texts(dataset.payloads, ROWS))
    yield from (result for result in _measure(texts) if result.what.endswith("the search"))


def _texts(payloads: Sequence[data.Payload], rows: int) -> Iterator[str]:
    known = [
        str(payload.get("definition", f"word{number % 997} word{number % 89}"))
        for number, payload in enumerate(payloads)
    ]
    for row in range(rows):
        text = known[row % len(known)]
        yield text if row < len(known) else f"{text} {known[row * 7 % len(known)]}"


def _measure(texts: Sequence[str]) -> Iterator[Result]:
    analyzer = Analyzer(SETTINGS)
    tokens = [[term for token in analyzer.tokens(text) for term in analyzer.terms(token)] for text in texts]
    theirs = _tantivy(tokens)
    with (
        tempfile.TemporaryDirectory(prefix="headwater-bench-") as folder,
        closing(Database.open(Path(folder) / "data", codec=ProtobufPayloadCodec())) as database,
    ):
        collection = _loaded(database, texts)
        for name, pairs in _pairs(tokens).items():
            yield from _compared(Engine(database.collection), collection, name, pairs, theirs)


def _compared(
    engine: Engine, collection: Collection, name: str, pairs: Sequence[Pair], theirs: Callable[[Pair], object]
) -> Iterator[Result]:
    queries = [Query(root=Stage(query=Bm25(text=pair), limit=K)) for pair in pairs]
    leaves = [ByText.of(Bm25(text=pair), (SearchedField(FIELD, 1.0, SETTINGS),)) for pair in pairs]
    with collection.snapshot() as reader:
        run = RunContext(reader, FilterSets(reader, FilterCache(0), UNLIMITED), TextIndexes(2**40), UNLIMITED)

        def search(leaf: ByText) -> object:
            known = leaf.statistics(run)
            return leaf.search(SearchRequest(None, np.empty(0, np.int64), K, statistics=known), run)

        _seconds(search, leaves)
        alone = [(_seconds(search, leaves), _seconds(theirs, pairs)) for _ in range(ROUNDS)]

    def whole(query: Query) -> object:
        return engine.queries.query(collection, [query])

    _seconds(whole, queries)
    both = [(_seconds(whole, queries), _seconds(theirs, pairs)) for _ in range(ROUNDS)]
    for what, rounds in (("the search", alone), ("the whole query", both)):
        ours, other = (1e6 * sorted(times)[ROUNDS // 2] / len(pairs) for times in zip(*rounds, strict=True))
        note = f"{ours:.0f} us a query, tantivy {other:.0f}"
        yield compare(f"BM25, two {name}, {what}", "tantivy in process", rounds, goal=1.5, note=note)


def _seconds(work: Callable[[Any], object], each: Sequence[Any]) -> float:
    """Processor seconds of this thread."""
    started = time.thread_time()
    for one in each:
        work(one)
    return time.thread_time() - started


def _pairs(tokens: Tokens) -> dict[str, list[Pair]]:
    drawn = random.Random(1)
    several = [distinct for text in tokens if len(distinct := sorted(set(text))) > 1]
    held = Counter(term for text in tokens for term in set(text))
    frequent = [term for term, _ in held.most_common(FREQUENT)]
    return {
        "terms of a text": [_pair(drawn, drawn.choice(several)) for _ in range(QUERIES)],
        f"of the {FREQUENT} most frequent terms": [_pair(drawn, frequent) for _ in range(QUERIES)],
    }


def _pair(drawn: random.Random, terms: Sequence[str]) -> Pair:
    one, other = drawn.sample(terms, 2)
    return one, other


def _loaded(database: Database, texts: Sequence[str]) -> Collection:
    collection = database.create_collection("texts", CollectionSchema(spaces={}, text_indexes={FIELD: SETTINGS}))
    codec = ProtobufPayloadCodec()
    for start in range(0, len(texts), BATCH):
        payloads = tuple(codec.encode({FIELD: text}) for text in texts[start : start + BATCH])
        ids = tuple(range(start, start + len(payloads)))
        collection.write([Upsert(ids=ids, payloads=payloads, vectors={})]).result(timeout=600)
    return collection


def _tantivy(tokens: Tokens) -> Callable[[Pair], object]:
    """The search of an index in memory of one segment."""
    engine: Any = importlib.import_module("tantivy")
    builder = engine.SchemaBuilder()
    builder.add_text_field(FIELD, stored=False, tokenizer_name="whitespace")
    schema = builder.build()
    index = engine.Index(schema)
    writer = index.writer(1_000_000_000, 1)
    for terms in tokens:
        document = engine.Document()
        document.add_text(FIELD, " ".join(terms))
        writer.add_document(document)
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
    searcher, should = index.searcher(), engine.Occur.Should

    def search(pair: Pair) -> object:
        terms = [(should, engine.Query.term_query(schema, FIELD, term)) for term in pair]
        return searcher.search(engine.Query.boolean_query(terms), K, count=False).hits

    return search


if __name__ == "__main__":
    main()
