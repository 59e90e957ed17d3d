"""Bring your own vectors: indexes of payload properties, filled from outside, in seven short steps.

    python -m examples.external_vectors                             on a server of its own
    python -m examples.external_vectors --address localhost:50051   on a running one

Every step is a function that asks the server something and prints what it finds; its docstring is printed above. The
embeddings of the ten products are recorded (examples/data/shop), so no model runs.
"""

import argparse
from contextlib import nullcontext

from examples.datasets import Shop, load_shop
from examples.own_server import own_server
from examples.report import announce, lines, note, ranking
from headwater import AmbiguousIndexError, Client, Index, IndexHits, LabeledRecord, ScoredPoint

LABEL = "external-vectors-example"
PROPERTY = "description"
LIMIT = 3


def create_records(client: Client, shop: Shop) -> list[LabeledRecord]:
    """Write records as they are.

    A label is a collection, a record is a point. There is no vector yet, and no space for one.
    """
    client.collections.delete(LABEL, strict=False)  # a run that was interrupted may have left it
    client.collections.create(LABEL)
    products = [{key: value for key, value in row.items() if key != "id"} for row in shop.products]
    made = client.records.create_many(LABEL, products, ids=[row["id"] for row in shop.products])
    lines([f"{len(made)} records, the first is {made[0].id!r}: {made[0].data['name']}"])
    return made


def create_index(client: Client, shop: Shop) -> Index:
    """Make an index of a property.

    It says of which property the vectors are, how they are compared, and how long they are; who has the model brings
    them. Until there is one, the index awaits vectors. Dictionaries and keyword arguments say the same.
    """
    index = client.indexes.create(
        {
            "label": LABEL,
            "propertyName": PROPERTY,
            "sourceType": "external",
            "similarityFunction": "cosine",
            "dimensions": shop.text.shape[1],
        }
    )
    lines([show(index)])
    return index


def upsert_vectors(client: Client, shop: Shop, index: Index) -> Index:
    """Bring the vectors.

    One call is all or nothing. Sent again, it changes nothing: a vector that is there already is not written.
    """
    items = [{"recordId": row["id"], "vector": vector} for row, vector in zip(shop.products, shop.text, strict=True)]
    for attempt in ("first", "again"):
        written = client.indexes.upsert_vectors(index.id, {"items": items})
        lines([f"{attempt}: {written.updated} of {written.requested} are there, {written.unchanged} were before"])
    now = client.indexes.get(index)
    lines([show(now)])
    return now


def search(client: Client, shop: Shop) -> list[IndexHits]:
    """Search by label and property.

    The length of the vector finds the index. The reply says how much of the label the index covers.
    """
    found = []
    for text, vector in zip(shop.query_texts, shop.query_text, strict=True):
        hits = client.indexes.search(labels=[LABEL], property_name=PROPERTY, query_vector=vector, limit=LIMIT)
        note(f"{text} (coverage {hits.coverage:.0%})")
        ranking([hit.point for hit in hits], name, category)
        found.append(hits)
    return found


def restrict(client: Client, shop: Shop) -> IndexHits:
    """Search among some records.

    `where` is a filter of Headwater, or a dictionary. Only records that match compete, so the limit is filled.
    """
    where = {"price": {"$lt": 100}}
    hits = client.indexes.search(
        {
            "labels": [LABEL],
            "propertyName": PROPERTY,
            "queryVector": shop.query_text[0],
            "where": where,
            "limit": LIMIT,
        }
    )
    note(f"{shop.query_texts[0]}, where {where}")
    ranking([hit.point for hit in hits], name, lambda point: f"{point.payload['price']}")
    return hits


def tell_apart(client: Client, shop: Shop) -> tuple[AmbiguousIndexError, IndexHits]:
    """Keep several indexes of one property.

    A second index, by distance instead of angle, may stand beside the first. Then the length of a vector no longer says
    which is meant, and the server asks rather than guesses. Records can be written with vectors of both at once.
    """
    other = client.indexes.create(
        label=LABEL, property_name=PROPERTY, similarity_function="euclidean", dimensions=shop.text.shape[1]
    )
    vector = {"propertyName": PROPERTY, "vector": shop.revised_text}
    try:
        client.records.create(LABEL, {PROPERTY: shop.revised_description}, vectors=[vector])
        raise AssertionError("the server was to refuse this")
    except AmbiguousIndexError as refused:
        error = refused
        lines([f"refused: {len(error.candidates)} candidates"])
    client.records.upsert(
        LABEL,
        {"name": "revised", PROPERTY: shop.revised_description, "category": "new"},
        id="revised",
        vectors=[{**vector, "similarityFunction": each} for each in ("cosine", "euclidean")],
    )
    hits = client.indexes.search(
        labels=LABEL,
        property_name=PROPERTY,
        query_vector=shop.revised_text,
        similarity_function="euclidean",
        limit=LIMIT,
    )
    lines([f"{show(client.indexes.get(other))}, coverage {hits.coverage:.0%}"])
    ranking([hit.point for hit in hits], name, category)
    return error, hits


def clean_up(client: Client, shop: Shop) -> list[Index]:
    """Delete an index, then everything.

    The vectors of an index go with it at once, the records stay.
    """
    for index in client.indexes.list(LABEL):
        client.indexes.delete(index)
    left = client.indexes.list(LABEL)
    lines([f"{len(left)} indexes and {len(client.records.find(LABEL))} records are left"])
    client.collections.delete(LABEL)
    return left


def show(index: Index) -> str:
    """An index in one line."""
    return f"{index.property_name}, {index.similarity_function.name}, {index.dimensions} dimensions: {index.status}"


def name(point: ScoredPoint) -> str:
    return str(point.payload["name"])


def category(point: ScoredPoint) -> str:
    return str(point.payload["category"])


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m examples.external_vectors", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--address", metavar="HOST:PORT", help="of a running server (default: one of its own)")
    arguments = parser.parse_args()
    shop = load_shop()
    with nullcontext(arguments.address) if arguments.address else own_server() as address, Client(address) as client:
        announce(create_records, 1)
        create_records(client, shop)
        announce(create_index, 2)
        index = create_index(client, shop)
        announce(upsert_vectors, 3)
        upsert_vectors(client, shop, index)
        for number, step in enumerate((search, restrict, tell_apart, clean_up), start=4):
            announce(step, number)
            step(client, shop)


if __name__ == "__main__":
    main()
