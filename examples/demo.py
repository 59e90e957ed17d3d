"""`make demo`: searches, fuses and re-ranks 2,000 synsets of WordNet on a server of its own, and prints what it finds.

Owns the story and its order; what each query means is the server's. The query is a recorded one, so no model is needed.
"""

from examples.datasets import WordNet, load_wordnet
from examples.own_server import own_server
from examples.report import MARK, announce, lines, note, plan, ranking
from headwater import (
    Client,
    Distance,
    Field,
    FilterLike,
    Fusion,
    Hits,
    PointStruct,
    PrefetchQuery,
    ScoredPoint,
    VectorParams,
)

COLLECTION = "wordnet"
QUERY = 25  # of the recorded queries: neither space ranks its synset first
CANDIDATES = 10  # that each space hands on to the fusion
LIMIT = 5
FIELDS = ["lemmas", "definition", "lexname"]  # all that a printed hit needs


def points_of(data: WordNet) -> list[PointStruct]:
    """A point for each synset: its number as id, two vectors, and all that is known about it as payload."""
    return [
        PointStruct(id=synset["id"], vector={"definition": definition, "lemmas": lemmas}, payload=synset)
        for synset, definition, lemmas in zip(data.synsets, data.definition, data.lemmas, strict=True)
    ]


def load(client: Client, data: WordNet) -> None:
    """One collection, two vector spaces.

    Each synset of WordNet (a set of words with one meaning) has the embedding of its definition in one space, and
    that of its words, the lemmas, in the other.
    """
    space = VectorParams(size=data.definition.shape[1], distance=Distance.COSINE)
    client.collections.create(COLLECTION, vectors_config={"definition": space, "lemmas": space})
    client.points.upload_points(COLLECTION, points_of(data), batch_size=250, progress=True)
    counts = client.vde.get_vector_count(COLLECTION)
    lines([f"{client.points.count(COLLECTION):,} points"])
    lines(f"{count:,} vectors in {space!r}" for space, count in counts.spaces.items())


def by_definition(client: Client, data: WordNet) -> Hits:
    """One search, by definition."""
    vector = data.query_vectors[QUERY]
    return client.points.search(COLLECTION, vector, using="definition", limit=LIMIT, with_payload=FIELDS)


def by_lemmas(client: Client, data: WordNet) -> Hits:
    """One search, by lemmas."""
    vector = data.query_vectors[QUERY]
    return client.points.search(COLLECTION, vector, using="lemmas", limit=LIMIT, with_payload=FIELDS)


def both_spaces(data: WordNet, filter: FilterLike | None = None) -> list[PrefetchQuery]:
    """The best candidates of each space, of the points that match the filter."""
    vector = data.query_vectors[QUERY]
    return [
        PrefetchQuery(query=vector, using="definition", limit=CANDIDATES, filter=filter),
        PrefetchQuery(query=vector, using="lemmas", limit=CANDIDATES, filter=filter),
    ]


def by_ranks(client: Client, data: WordNet) -> Hits:
    """Both spaces, fused by rank (RRF).

    Reciprocal rank fusion looks at places only: 1/(60+rank) in each list, summed. Who does well in both lists wins.
    """
    return client.points.query(
        COLLECTION, prefetch=both_spaces(data), query={"fusion": Fusion.RRF}, limit=LIMIT, with_payload=FIELDS
    )


def by_scores(client: Client, data: WordNet) -> Hits:
    """Both spaces, fused by score (DBSF).

    Distribution-based score fusion keeps the distances between hits: each list's scores are brought to 0..1 by its
    own mean and spread, then averaged.
    """
    return client.points.query(
        COLLECTION, prefetch=both_spaces(data), query={"fusion": Fusion.DBSF}, limit=LIMIT, with_payload=FIELDS
    )


def verbs_after_fusion(client: Client, data: WordNet) -> Hits:
    """Verbs only, filtered after fusion.

    A filter on the stage that fuses is a gate: it drops what came through and refills nothing, so there may be
    fewer hits than asked for. The scores are those of the fusion above.
    """
    return client.points.query(
        COLLECTION,
        prefetch=both_spaces(data),
        query={"fusion": Fusion.RRF},
        filter=Field("pos").eq("verb"),
        limit=LIMIT,
        with_payload=FIELDS,
    )


def verbs_before_fusion(client: Client, data: WordNet) -> Hits:
    """Verbs only, filtered inside the prefetches.

    Now each space looks for its best verbs, and the list is full. Ranks are counted among verbs, so scores are higher.
    """
    return client.points.query(
        COLLECTION,
        prefetch=both_spaces(data, filter=Field("pos").eq("verb")),
        query={"fusion": Fusion.RRF},
        limit=LIMIT,
        with_payload=FIELDS,
    )


def three_stages(client: Client, data: WordNet) -> Hits:
    """Three stages in one call: two searches, fusion, re-ranking.

    The five best of the fusion are scored again, exactly, by their definitions: both spaces decide who takes part, one
    decides the order. What the fusion did not bring cannot come back.
    """
    fused = PrefetchQuery(prefetch=both_spaces(data), query={"fusion": Fusion.RRF}, limit=LIMIT)
    return client.points.query(
        COLLECTION,
        prefetch=[fused],
        query=data.query_vectors[QUERY],
        using="definition",
        limit=LIMIT,
        with_payload=FIELDS,
        explain=True,
    )


SEARCHES = (
    by_definition,
    by_lemmas,
    by_ranks,
    by_scores,
    verbs_after_fusion,
    verbs_before_fusion,
    three_stages,
)


def synset_text(hit: ScoredPoint) -> str:
    return f"{', '.join(hit.payload['lemmas'])}: {hit.payload['definition']}"


def lexname(hit: ScoredPoint) -> str:
    """Like `noun.artifact`: the part of speech and the field; the longest have 18 letters."""
    return f"{hit.payload['lexname']:>18}"


def introduce(data: WordNet) -> None:
    """The question."""
    query = data.queries[QUERY]
    answer = next(synset for synset in data.synsets if synset["id"] == query["relevant_id"])
    lines([f"“{query['text']}”"])
    print()
    note(
        f"WordNet gives this sentence as an example of the synset “{', '.join(answer['lemmas'][:3])}, ...”: "
        f"{answer['definition']}. It is marked {MARK} wherever a search finds it."
    )


def summarise(found: dict[str, Hits], answer: int) -> None:
    """Where the marked synset stood."""
    for title, hits in found.items():
        rank = next((rank for rank, hit in enumerate(hits, start=1) if hit.id == answer), None)
        lines([f"{f'rank {rank}' if rank else 'not there':>9}   {title}"])


def show_plan(hits: Hits) -> None:
    """How the server ran the three stages.

    Read the plan from the inside out: rows are what a step emitted, times leave out the steps below it.
    """
    plan(hits.explanation)


def main() -> None:
    data = load_wordnet()
    answer = data.queries[QUERY]["relevant_id"]
    found: dict[str, Hits] = {}
    with own_server() as address, Client(address) as client:
        announce(load)
        load(client, data)
        announce(introduce)
        introduce(data)
        for search in SEARCHES:
            title = announce(search)
            found[title] = search(client, data)
            ranking(found[title], synset_text, lexname, marked=answer)
    announce(show_plan)
    show_plan(found[title])
    announce(summarise)
    summarise(found, answer)


if __name__ == "__main__":
    main()
