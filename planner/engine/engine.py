"""The planner's door: one object for each kind of question about collections, over the same derived indexes."""

from collections.abc import Callable

from planner.analyze import Analyses
from planner.engine.caches import CacheCounts
from planner.engine.declared_indexes import DeclaredIndexes
from planner.engine.derived_indexes import DerivedIndexes
from planner.engine.queries import Queries
from planner.engine.reads import Reads
from planner.engine.write_conditions import WriteConditions
from planner.execute import Indexes
from planner.filtering import FilterCache
from planner.payload_index import FieldBuilds, FieldIndexes
from planner.text import TextIndexes
from storage.budget import Budget
from storage.collection import Collection

DEFAULT_CACHE_BYTES = 64 * 2**20
DEFAULT_FIELD_INDEX_BYTES = 256 * 2**20
DEFAULT_TEXT_INDEX_BYTES = 2**30


class Engine:
    """Owns the caches of evaluated filters and of derived indexes, and the objects that use them. Safe for many
    threads.

    `queries`, `reads` and `analyses` answer. `writes` compiles the filters of writes. `field_indexes` declares indexes
    of payload paths. `derived` keeps indexes in step with their collections.
    """

    def __init__(
        self,
        lookup: Callable[[str], Collection],
        *,
        cache_bytes: int = DEFAULT_CACHE_BYTES,
        field_index_bytes: int = DEFAULT_FIELD_INDEX_BYTES,
        search_timeout: float | None = None,
        max_scan: int | None = None,
        text_index_bytes: int = DEFAULT_TEXT_INDEX_BYTES,
    ) -> None:
        """`lookup` finds a collection by name or alias (Database.collection).

        `cache_bytes` bounds remembered filters, `field_index_bytes` the indexes that no one declared; 0 means none. If
        text indexes together hold more than `text_index_bytes`, those that are not in use are dropped. `search_timeout`
        (seconds) and `max_scan` bound each request of queries, besides its own budget.
        """

        def bounded(budget: Budget) -> Budget:
            return budget.within(search_timeout, max_scan)

        fields = FieldIndexes(field_index_bytes)
        builds = FieldBuilds(fields)
        indexes = Indexes(FilterCache(cache_bytes, fields), fields, TextIndexes(text_index_bytes))
        self.queries = Queries(indexes, lookup, bounded)
        self.reads = Reads(indexes)
        self.analyses = Analyses(indexes, self.queries.bind, lookup, bounded)
        self.writes = WriteConditions()
        self.field_indexes = DeclaredIndexes(fields, builds)
        self.derived = DerivedIndexes(self.queries, indexes, builds)
        self._indexes = indexes

    def caches(self) -> CacheCounts:
        """What is remembered, in numbers. `field_index_bytes` are those of indexes that no one declared."""
        filters, plans = self._indexes.filters, self.queries.plans
        return CacheCounts(
            filter_hits=filters.hits,
            filter_misses=filters.misses,
            filter_bytes=filters.used,
            plan_hits=plans.hits,
            plan_misses=plans.misses,
            field_index_bytes=self._indexes.fields.used,
            text_index_bytes=self._indexes.texts.used,
        )

    def close(self) -> None:
        """Ends the work in the background. Requires: no request is running."""
        self.derived.close()
