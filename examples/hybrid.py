"""Hybrid retrieval in one request: words by BM25 and meaning by vectors, over 2,000 synsets of WordNet.

`python -m examples.hybrid` starts a server of its own. Each step returns its hits; main() prints them.
"""

from collections.abc import Callable, Sequence

from examples.datasets import WordNet, load_wordnet
from examples.own_server import own_server
from headwater import (
    Bm25,
    Client,
    Dbsf,
    Field,
    Hits,
    PointStruct,
    PrefetchQuery,
    TextIndexParams,
    VectorParams,
)

COLLECTION = "hybrid-example"
FIELDS = {"lemmas": 2.0, "definition": 1.0}
"""What a match in each field counts."""


def fill(client: Client, data: WordNet) -> None:
    """A vector space and two text indexes; declared before the points are there, or after: it makes no difference."""
    client.collections.create(COLLECTION, {"lemmas": VectorParams(data.lemmas.shape[1])})
    english = TextIndexParams(language="english", stemming=True, stop_words=True)
    for field in FIELDS:
        client.points.create_text_index(COLLECTION, field, english)
    points = (
        PointStruct(row["id"], {"lemmas": vector}, {name: row[name] for name in ("lemmas", "definition", "pos")})
        for row, vector in zip(data.synsets, data.lemmas, strict=True)
    )
    client.points.upload_points(COLLECTION, points)


def by_words(client: Client, data: WordNet, number: int) -> Hits:
    """BM25 alone, with the matched words marked."""
    return client.points.query(COLLECTION, Bm25(data.queries[number]["text"], FIELDS, plain=True, highlight=True))


def by_meaning(client: Client, data: WordNet, number: int) -> Hits:
    """A vector search alone."""
    return client.points.query(COLLECTION, data.query_vectors[number], using="lemmas")


def by_both(client: Client, data: WordNet, number: int) -> Hits:
    """Both, fused by their scores, among nouns only: one request, one commit."""
    nouns = Field("pos").eq("noun")
    return client.points.query(
        COLLECTION,
        Dbsf(),
        prefetch=[
            PrefetchQuery(Bm25(data.queries[number]["text"], FIELDS, plain=True), limit=50, filter=nouns),
            PrefetchQuery(data.query_vectors[number], using="lemmas", limit=50, filter=nouns),
        ],
    )


def reranked(client: Client, data: WordNet, number: int) -> Hits:
    """What words find, ranked by meaning."""
    words = PrefetchQuery(Bm25(data.queries[number]["text"], FIELDS, plain=True), limit=100)
    return client.points.query(COLLECTION, data.query_vectors[number], using="lemmas", prefetch=[words])


STEPS: Sequence[Callable[[Client, WordNet, int], Hits]] = (by_words, by_meaning, by_both, reranked)


def main() -> None:
    data = load_wordnet()
    with own_server() as address, Client(address) as client:
        fill(client, data)
        print(f"query: {data.queries[0]['text']!r}, the relevant synset is {data.queries[0]['relevant_id']}")
        for step in STEPS:
            print(f"\n{step.__name__}: {step.__doc__}")
            for hit in step(client, data, 0)[:3]:
                marked = "; ".join(part.marked("[", "]") for part in hit.highlights)
                payload = hit.payload
                print(f"  {hit.id:>5} {hit.score:.4f}  {marked or ', '.join(payload['lemmas'])}")


if __name__ == "__main__":
    main()
