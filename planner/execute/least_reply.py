"""What the reply to a query takes at least, known before anything is searched. It ranks nothing."""

from collections.abc import Sequence

from planner.bind import BoundLeaf, BoundQuery
from planner.execute.fetching import POINT_OVERHEAD, VECTOR_OVERHEAD
from planner.rank import InDense
from storage.budget import Budget
from storage.mvcc import Snapshot
from storage.schema import IndexKind


def check_least_reply(queries: Sequence[BoundQuery], reader: Snapshot, budget: Budget) -> None:
    """Raises ReplyTooLarge when the hits that are certain to be found are more than the reply has room for."""
    budget.meter.expect(sum(_hits(query, reader) * _hit_bytes(query, reader) for query in queries))


def _hits(query: BoundQuery, reader: Snapshot) -> int:
    """How many hits are certain: none where a test may leave points out, or lists of other stages are ranked."""
    stage = query.root
    if stage.filter is not None or stage.score_threshold is not None or stage.search_after is not None:
        return 0
    match stage.ranked:
        case BoundLeaf(rank=None):
            ranked = reader.point_count
        case BoundLeaf(rank=InDense(space=space, params=params)) if stage.diversity is None and not params.indexed_only:
            if reader.schema.dense[space].index is IndexKind.IVF and not params.exact:
                return 0
            ranked = reader.spaces[space].vector_count
        case _:
            return 0
    return max(0, min(stage.limit, ranked - stage.offset - len(stage.exclude)))


def _hit_bytes(query: BoundQuery, reader: Snapshot) -> int:
    """Bytes of a hit in the reply, at least: payloads may be empty."""
    ranked, vectors = query.root.ranked, query.vectors
    if vectors is not None and isinstance(ranked.rank, InDense):
        space = ranked.rank.space
        if vectors.include is None or space in vectors.include:
            return POINT_OVERHEAD + VECTOR_OVERHEAD + 4 * reader.schema.dense[space].size
    return POINT_OVERHEAD
