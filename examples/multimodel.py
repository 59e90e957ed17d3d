"""A shop's ten products, found by their words and by their pictures: Headwater in seventeen short steps.

    python -m examples.multimodel                             on a server of its own
    python -m examples.multimodel --address localhost:50051   on a running one

Every step is a function that asks the server something and prints what it finds; its docstring is printed above. The
embeddings are recorded (examples/data/shop), so no model runs. Owns the tour; what queries mean is the server's.
"""

import argparse
from collections.abc import Callable, Mapping
from contextlib import nullcontext

from examples.datasets import Shop, load_shop
from examples.own_server import own_server
from examples.report import announce, fit, lines, plan, ranking
from headwater import (
    Client,
    CollectionInfo,
    Distance,
    Explanation,
    Field,
    Fusion,
    Hits,
    HnswConfigDiff,
    PointStruct,
    PointVectors,
    PrefetchQuery,
    Record,
    Rrf,
    ScoredPoint,
    SearchParams,
    SearchRequest,
    SpaceInfo,
    VectorParams,
    WithPayloadSelector,
    reciprocal_rank_fusion,
)

COLLECTION = "multimodel-example"
LIMIT = 5


def connect(address: str) -> Client:
    """Connect.

    One client holds one connection and may be used by many threads. AsyncClient has the same methods, to be awaited.
    """
    client = Client(address)
    lines([f"connected to {address}", f"it has {len(client.collections.list())} collections"])
    return client


def create(client: Client, shop: Shop) -> CollectionInfo:
    """Create a collection with named vectors.

    Two models, two spaces: `text` for a sentence model, `image` for a picture model. Each has its own size, metric and
    graph settings. The larger vectors get more links per node.
    """
    client.collections.delete(COLLECTION, strict=False)  # a tour that was interrupted may have left it
    info = client.collections.create(
        COLLECTION,
        vectors_config={
            "text": VectorParams(
                size=shop.text.shape[1], distance=Distance.COSINE, hnsw_config=HnswConfigDiff(m=16, ef_construct=100)
            ),
            "image": VectorParams(
                size=shop.image.shape[1], distance=Distance.COSINE, hnsw_config=HnswConfigDiff(m=32, ef_construct=200)
            ),
        },
    )
    lines(describe_spaces(info))
    return info


def ingest(client: Client, shop: Shop) -> int:
    """Ingest the products.

    A point is an id, a vector for each space, and a payload. An upsert is all or nothing, and once it returns the
    points are on disk and can be found. (For millions of points, `points.upload_points` sends batches and shows its
    progress.)
    """
    points = [
        PointStruct(id=product["id"], vector={"text": shop.text[row], "image": shop.image[row]}, payload=product)
        for row, product in enumerate(shop.products)
    ]
    client.points.upsert(COLLECTION, points, wait=True)
    count = client.points.count(COLLECTION)
    lines([f"{count} products"])
    return count


def search_text(client: Client, shop: Shop) -> Hits:
    """Search by words.

    The query is the embedding of “something to wear for running”. Shoes and a cap say so in their texts; the wristwatch
    because it has a stopwatch “for your morning run”.
    """
    hits = client.points.search(COLLECTION, shop.query_text[0], using="text", limit=LIMIT)
    show(hits)
    return hits


def search_image(client: Client, shop: Shop) -> Hits:
    """Search by picture.

    The query is the embedding of a picture that is not in the shop: a high-heeled shoe. What looks like it comes
    first, and no word is involved.
    """
    hits = client.points.search(COLLECTION, shop.query_image[0], using="image", limit=LIMIT)
    show(hits)
    return hits


def both(shop: Shop, limit: int = 10) -> list[PrefetchQuery]:
    """The two searches above as the first stage of one query."""
    return [
        PrefetchQuery(query=shop.query_text[0], using="text", limit=limit),
        PrefetchQuery(query=shop.query_image[0], using="image", limit=limit),
    ]


def fuse(client: Client, shop: Shop) -> Hits:
    """Fuse both rankings: something for running that looks like this shoe.

    The scores of two models cannot be compared, but their ranks can. Reciprocal rank fusion adds 1/(60+rank)
    over the lists. Both searches and the fusion run in the server, in one call, on one state of the data.
    """
    hits = client.points.query(COLLECTION, prefetch=both(shop), query={"fusion": Fusion.RRF}, limit=LIMIT)
    show(hits)
    return hits


def compare_fusions(client: Client, shop: Shop) -> tuple[Hits, Hits]:
    """Compare fusion by ranks with fusion by scores.

    RRF (left) knows only who came before whom. DBSF (right) brings each list's scores to 0..1 by its mean and
    spread, so a hit that stood out keeps its lead: nothing looks more like the query than the ballet flats.
    """
    ranks = client.points.query(COLLECTION, prefetch=both(shop), query=Fusion.RRF, limit=LIMIT)
    scores = client.points.query(COLLECTION, prefetch=both(shop), query=Fusion.DBSF, limit=LIMIT)
    lines(f"{column(left)}   {column(right)}" for left, right in zip(ranks, scores, strict=True))
    return ranks, scores


AFFORDABLE = Field("price").lte(170.0) & Field("in_stock").eq(True)


def filter_after_fusion(client: Client, shop: Shop) -> Hits:
    """Filter after fusion.

    On a stage with prefetches a filter is a gate: it drops candidates and refills nothing. Each search brings its best
    four, and of those some cost more than 170 or are not in stock.
    """
    hits = client.points.query(
        COLLECTION, prefetch=both(shop, limit=4), query=Fusion.RRF, filter=AFFORDABLE, limit=LIMIT
    )
    show(hits)
    return hits


def filter_before_fusion(client: Client, shop: Shop) -> Hits:
    """Filter before fusion.

    In a prefetch the same filter decides what that search may find at all, so each looks on until it has enough.
    """
    hits = client.points.query(
        COLLECTION,
        prefetch=[
            PrefetchQuery(query=shop.query_text[0], using="text", limit=4, filter=AFFORDABLE),
            PrefetchQuery(query=shop.query_image[0], using="image", limit=4, filter=AFFORDABLE),
        ],
        query=Fusion.RRF,
        limit=LIMIT,
    )
    show(hits)
    return hits


ALPHAS = (0.0, 0.25, 0.5, 0.75, 1.0)


def sweep_alpha(client: Client, shop: Shop) -> Mapping[float, list[ScoredPoint]]:
    """Fuse in the client, with weights.

    Ask once, fuse often: both lists are fetched in one batch and fused here with weight 1 - alpha for words and
    alpha for pictures. The server gives the same for Rrf(weights=...), so a weight found here can move there.
    """
    searches = [
        SearchRequest(shop.query_text[0], using="text", limit=10),
        SearchRequest(shop.query_image[0], using="image", limit=10),
    ]
    by_text, by_image = client.points.search_batch(COLLECTION, searches)
    fused = {
        alpha: reciprocal_rank_fusion([by_text, by_image], limit=3, weights=[1 - alpha, alpha]) for alpha in ALPHAS
    }
    lines(f"alpha {alpha:.2f}   {'  >  '.join(name(hit) for hit in hits)}" for alpha, hits in fused.items())
    return fused


def search_batch(client: Client, shop: Shop) -> list[Hits]:
    """Search for many things at once.

    Up to 256 searches travel in one call and read the same state of the data.
    """
    searches = [SearchRequest(vector, using="text", limit=2) for vector in shop.query_text]
    answers = client.points.search_batch(COLLECTION, searches)
    for text, hits in zip(shop.query_texts, answers, strict=True):
        lines([f"{fit('“' + text + '”', 40)} {', '.join(name(hit) for hit in hits)}"])
    return answers


def select_parts(client: Client, shop: Shop) -> tuple[Hits, list[Record]]:
    """Fetch only the parts you need.

    Payload by keys, or all but some keys; vectors by space. They are read for the final hits only, and nothing else
    is sent.
    """
    hits = client.points.search(
        COLLECTION, shop.query_text[0], using="text", limit=1, with_payload=["name", "price"], with_vectors=["text"]
    )
    without = WithPayloadSelector(exclude=["description", "image", "colors"])
    records = client.points.get(COLLECTION, [hits[0].id], with_payload=without)
    for hit in hits:
        lines([f"payload {dict(sorted(hit.payload.items()))}"])
        lines(f"vector {space!r} of {len(vector)} dimensions" for space, vector in hit.vectors.items())
    lines(f"all but three keys: {', '.join(sorted(record.payload))}" for record in records)
    return hits, records


def update_vector(client: Client, shop: Shop) -> tuple[Hits, Hits]:
    """Update one named vector.

    The handbag gets a new description, so it needs a new text embedding. Its picture stays as it is, and so does
    its place in the index of pictures. Here is “a bag for my laptop” before and after.
    """
    query = shop.query_text[1]
    before = client.points.search(COLLECTION, query, using="text", limit=2)
    client.points.update_vectors(COLLECTION, [PointVectors(shop.revised_id, {"text": shop.revised_text})])
    client.points.set_payload(COLLECTION, {"description": shop.revised_description}, ids=[shop.revised_id])
    after = client.points.search(COLLECTION, query, using="text", limit=2)
    show(before)
    print()
    show(after)
    return before, after


def rerank(client: Client, shop: Shop) -> Hits:
    """Nest stages: search, fuse, then re-rank.

    The fusion picks four products that are good in both ways; the outer stage scores these four exactly by picture. Its
    scores are cosines again.
    """
    fused = PrefetchQuery(prefetch=both(shop), query=Rrf(k=60), limit=4)
    hits = client.points.query(COLLECTION, prefetch=[fused], query=shop.query_image[0], using="image", limit=LIMIT)
    show(hits)
    return hits


def tune_stages(client: Client, shop: Shop) -> tuple[Hits, Explanation]:
    """Search each space in its own way.

    Parameters belong to their stage: a wide walk through the graph of texts, an exact scan of the pictures.
    `explain` shows the plan, and with `analyze` what each step cost. (With ten products nothing has a graph yet;
    all is scanned.)
    """
    prefetch = [
        PrefetchQuery(query=shop.query_text[0], using="text", limit=5, params=SearchParams(hnsw_ef=256)),
        PrefetchQuery(query=shop.query_image[0], using="image", limit=5, params=SearchParams(exact=True)),
    ]
    hits = client.points.query(COLLECTION, prefetch=prefetch, query=Fusion.RRF, limit=LIMIT)
    show(hits)
    explanation = client.points.explain(COLLECTION, prefetch=prefetch, query=Fusion.RRF, limit=LIMIT, analyze=True)
    print()
    plan(explanation)
    return hits, explanation


def inspect(client: Client, shop: Shop) -> tuple[CollectionInfo, dict[str, int]]:
    """Inspect the collection."""
    info = client.collections.get_info(COLLECTION)
    stats = client.vde.get_stats(COLLECTION)
    brands = sorted({product["brand"] for product in shop.products})
    by_brand = {brand: client.points.count(COLLECTION, filter=Field("brand").eq(brand)) for brand in brands}
    lines(describe_spaces(info))
    lines([f"{info.points_count} points; per brand: {', '.join(f'{brand} {n}' for brand, n in by_brand.items())}"])
    lines(f"{space}: {s.disk_bytes:,} bytes on disk, {s.segments} segments" for space, s in stats.spaces.items())
    return info, by_brand


def clean_up(client: Client, shop: Shop) -> bool:
    """Clean up."""
    client.collections.delete(COLLECTION)
    exists = client.collections.exists(COLLECTION)
    lines([f"collection {COLLECTION!r} exists: {exists}"])
    return exists


STEPS: tuple[Callable[[Client, Shop], object], ...] = (
    create,
    ingest,
    search_text,
    search_image,
    fuse,
    compare_fusions,
    filter_after_fusion,
    filter_before_fusion,
    sweep_alpha,
    search_batch,
    select_parts,
    update_vector,
    rerank,
    tune_stages,
    inspect,
    clean_up,
)
"""All steps after the first, which is `connect`."""


def name(hit: ScoredPoint) -> str:
    return str(hit.payload["name"])


def show(hits: Hits) -> None:
    ranking(hits, name, lambda hit: f"{hit.payload['category']:<12} {hit.payload['price']:>7.2f}")


def column(hit: ScoredPoint) -> str:
    return f"{hit.score:.4f}  {fit(name(hit), 30)}"


def describe_spaces(info: CollectionInfo) -> list[str]:
    """A line for each space: size, metric, graph settings, and how many vectors it holds."""
    return [describe_space(name, space) for name, space in sorted(info.vectors.items())]


def describe_space(name: str, space: SpaceInfo) -> str:
    params, graph = space.params, space.params.hnsw_config or HnswConfigDiff()
    return (
        f"{fit(name, 6)} {params.size:>5} dimensions, {params.distance.name}, "
        f"m {graph.m}, ef_construct {graph.ef_construct}, ef {graph.ef}: {space.vectors_count} vectors"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m examples.multimodel", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--address", metavar="HOST:PORT", help="of a running server (default: one of its own)")
    arguments = parser.parse_args()
    shop = load_shop()
    with nullcontext(arguments.address) if arguments.address else own_server() as address:
        announce(connect, number=1)
        with connect(address) as client:
            for number, step in enumerate(STEPS, start=2):
                announce(step, number)
                step(client, shop)


if __name__ == "__main__":
    main()
