"""Readers: what they find must make sense whatever is written meanwhile."""

from typing import Any

from headwater import Field, PrefetchQuery, Rrf
from tests.soak.worker import Worker
from tests.soak.writers import COLLECTION, SIZES, vector


class Reader(Worker):
    """Searches, filters, fuses and scrolls the points of all writers."""

    def __init__(self, number: int, writers: int, *rest: Any) -> None:
        super().__init__(f"reader {number}", *rest)
        self._writers = writers

    def step(self) -> None:
        kind = self.random.choice((self._search, self._filtered, self._fused, self._scroll, self._count))
        kind()
        self.did[kind.__name__.strip("_")] += 1

    def compare(self) -> None:
        pass

    def _query(self, space: str) -> list[float]:
        return vector(space, self.random.randrange(10**6), self.random.randrange(1000))

    def _search(self) -> None:
        space = self.random.choice(sorted(SIZES))
        hits = list(self.client.points.search(COLLECTION, self._query(space), using=space, limit=20))
        scores = [hit.score for hit in hits]
        assert scores == sorted(scores, reverse=True)
        assert len({hit.id for hit in hits}) == len(hits)
        self.compared += len(hits)

    def _filtered(self) -> None:
        writer = self.random.randrange(self._writers)
        chosen = Field("w").eq(writer) & Field("n").gte(5)
        hits = self.client.points.search(COLLECTION, self._query("a"), using="a", filter=chosen, limit=20)
        for hit in hits:
            payload: Any = hit.payload
            assert int(str(hit.id)) // 10**6 == writer == payload["w"]
            assert payload["n"] >= 5
            self.compared += 1

    def _fused(self) -> None:
        leaves = [PrefetchQuery(self._query(space), space, limit=30) for space in SIZES]
        hits = list(self.client.points.query(COLLECTION, Rrf(), prefetch=leaves, limit=10))
        assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
        self.compared += len(hits)

    def _scroll(self) -> None:
        writer = self.random.randrange(self._writers)
        ids = [int(str(point.id)) for point in self.client.points.scroll_all(COLLECTION, filter=Field("w").eq(writer))]
        assert ids == sorted(set(ids))
        assert all(number // 10**6 == writer for number in ids)
        self.compared += len(ids)

    def _count(self) -> None:
        assert self.client.points.count(COLLECTION, filter=Field("w").gte(self._writers)) == 0
        self.compared += 1
