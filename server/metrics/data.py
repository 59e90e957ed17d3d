"""The families of stored data: how many collections there are, and the size of those that are open."""

from collections.abc import Iterator, Sequence
from dataclasses import fields

from prometheus_client.metrics_core import Metric

from server.metrics.families import counter, gauge, gauges
from server.metrics.request_counts import OTHER
from server.metrics.sources import Sources
from storage.collection import CollectionSize

_SIZES = {
    "points": "Points of an open collection.",
    "vectors": "Vectors of its dense and multi-vector spaces.",
    "tail_rows": "Vectors of these that are in no index yet.",
    "dead_rows": "Rows of deleted and replaced vectors that wait for compaction.",
    "segments": "Segments with an index.",
    "mapped_bytes": "Bytes of files of vectors and indexes that are mapped.",
    "waiting_writes": "Writes that wait for a commit.",
}


def data_families(sources: Sources) -> Iterator[Metric]:
    """What is stored, without opening anything."""
    usage = sources.database.usage
    opened = usage.counts()
    yield gauge("collections", "Collections, open or not.", len(sources.database.names.all()))
    yield gauge("open_collections", "Collections whose files are open.", opened.open)
    yield gauge("open_collections_limit", "Collections that may be open at once.", opened.most)
    yield counter("collections_opened", "Collections that were opened.", opened.opened)
    yield counter("collections_closed_for_room", "Collections that were closed to open others.", opened.closed_for_room)
    sizes = _sizes(sources)
    for name, about in _SIZES.items():
        samples = [((label,), getattr(size, name)) for label, size in sizes]
        yield gauges(f"collection_{name}", about, ["collection"], samples)


def _sizes(sources: Sources) -> list[tuple[str, CollectionSize]]:
    """The sizes of the open collections by label. Those that have no label of their own are summed as OTHER.

    A collection that has a label keeps it while it is open, so that its series has no gaps.
    """
    opened = {collection.uid: collection for collection in sources.database.usage.open_collections()}
    for uid in sources.named.keys() - opened.keys():
        del sources.named[uid]
    for uid, collection in opened.items():
        if len(sources.named) >= sources.most_collections:
            break
        sources.named.setdefault(uid, collection.name)
    sizes = {uid: collection.size() for uid, collection in opened.items()}
    named = {label: sizes[uid] for uid, label in sources.named.items() if label != OTHER}
    others = [size for uid, size in sizes.items() if sources.named.get(uid, OTHER) == OTHER]
    return [*sorted(named.items()), *([(OTHER, _sum(others))] if others else [])]


def _sum(sizes: Sequence[CollectionSize]) -> CollectionSize:
    numbers = [field.name for field in fields(CollectionSize) if field.name != "name"]
    return CollectionSize(name=OTHER, **{name: sum(getattr(size, name) for size in sizes) for name in numbers})
