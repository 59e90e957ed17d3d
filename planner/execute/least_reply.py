"""The least size of the reply to a query, known before anything is searched. It ranks nothing."""

from collections.abc import Sequence

from planner.bind import BoundLeaf, BoundQuery
from planner.execute.fetching import POINT_OVERHEAD, VECTOR_OVERHEAD
from planner.rank import Ranker
from storage.budget import Budget
from storage.mvcc import Snapshot


def check_least_reply(queries: Sequence[BoundQuery], reader: Snapshot, budget: Budget) -> None:
    """Raises ReplyTooLarge if the hits that will certainly be found are too large for the reply."""
    budget.meter.expect(sum(_hits(query, reader) * _hit_bytes(query, reader) for query in queries))


def _hits(query: BoundQuery, reader: Snapshot) -> int:
    """How many hits are certain: 0 if a test may drop points, or if lists of other stages are ranked."""
    stage = query.root
    if stage.filter is not None or stage.score_threshold is not None or stage.search_after is not None:
        return 0
    if not isinstance(stage.ranked, BoundLeaf) or stage.diversity is not None:
        return 0
    rank = stage.ranked.rank
    found = reader.point_count if rank is None else rank.certain_hits(reader)
    return max(0, min(stage.limit, found - stage.offset - len(stage.exclude)))


def _hit_bytes(query: BoundQuery, reader: Snapshot) -> int:
    """Bytes that a hit takes at least in the reply. Payloads may be empty."""
    rank, vectors, dense = query.root.ranked.rank, query.vectors, reader.schema.dense
    if vectors is None or not isinstance(rank, Ranker):
        return POINT_OVERHEAD
    held = [space for space in rank.spaces if vectors.include is None or space in vectors.include]
    return POINT_OVERHEAD + sum(VECTOR_OVERHEAD + 4 * dense[space].size for space in held if space in dense)
