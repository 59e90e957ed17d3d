"""What each inner operator does to rankings: numpy on arrays of slots and scores. It reads ids, to break ties."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from planner.errors import InvalidQuery
from planner.execute.fusion import distribution_based_score_fusion, reciprocal_rank_fusion, union
from planner.plan import After, FuseRanks, FuseScores, Limit, Threshold, higher_is_better
from planner.query import Metric, ScoreMode, metric_dissimilarity, metric_similarity
from planner.rank import Ids, Ranking, ranked
from storage.schema import Distance
from storage.tables import encode_id
from storage.vectors import Position, comes_after, dissimilarity, similarity


def fuse_ranks(node: FuseRanks, inputs: Sequence[Ranking], ids: Ids, sure: int | None = None) -> Ranking:
    """For `sure` see `ranked`."""
    slots, scores = reciprocal_rank_fusion([ranking.slots for ranking in inputs], k=node.k, weights=node.weights)
    return ranked(slots, scores, ids, sure=sure)


def fuse_scores(node: FuseScores, inputs: Sequence[Ranking], ids: Ids, sure: int | None = None) -> Ranking:
    """For `sure` see `ranked`."""
    slots, scores = distribution_based_score_fusion(
        [ranking.slots for ranking in inputs],
        [ranking.scores for ranking in inputs],
        higher_is_better=[higher_is_better(child) for child in node.children],
        weights=node.weights,
    )
    return ranked(slots, scores, ids, sure=sure)


def apply_threshold(node: Threshold, ranking: Ranking) -> Ranking:
    """Compares in float32, the type of scores, so that a score that was returned can be used as the threshold."""
    threshold = np.float32(node.threshold)
    return ranking.take(ranking.scores >= threshold if node.higher_is_better else ranking.scores <= threshold)


def apply_after(node: After, ranking: Ranking, ids: Ids) -> Ranking:
    """Raises InvalidQuery if the hit must be in the ranking and is not."""
    if node.scored:
        position = Position(np.float32(node.position.score), encode_id(node.position.id))
        higher = node.higher_is_better
        kept = comes_after(position, ranking.slots, ranking.scores, higher_is_better=higher, id_keys=ids.id_keys)
        return ranking.take(kept)
    found = np.flatnonzero(ranking.slots == ids.slots_of([node.position.id])[0])
    if not len(found):
        raise InvalidQuery(f"{node.path}.id", f"point {node.position.id!r} is not in this ranking")
    return ranking.take(slice(int(found[0]) + 1, None))


def apply_limit(node: Limit, ranking: Ranking) -> Ranking:
    return ranking.take(slice(node.offset, node.offset + node.limit))


def convert_scores(mode: ScoreMode, distance: Distance | Metric, ranking: Ranking) -> Ranking:
    """The order stays, although scores that differed may now be equal."""
    if isinstance(distance, Metric):
        return _convert_metric(mode, distance, ranking)
    match mode:
        case ScoreMode.SIMILARITY:
            return Ranking(ranking.slots, similarity(distance, ranking.scores))
        case ScoreMode.DISTANCE:
            return Ranking(ranking.slots, dissimilarity(distance, ranking.scores))
        case ScoreMode.RAW:
            return ranking


def _convert_metric(mode: ScoreMode, metric: Metric, ranking: Ranking) -> Ranking:
    match mode:
        case ScoreMode.SIMILARITY:
            return Ranking(ranking.slots, metric_similarity(metric, ranking.scores))
        case ScoreMode.DISTANCE:
            return Ranking(ranking.slots, metric_dissimilarity(metric, ranking.scores))
        case ScoreMode.RAW:
            return ranking


def candidates(inputs: Sequence[Ranking]) -> NDArray[np.uint32]:
    """The slots of all inputs, each once, ascending."""
    return union([ranking.slots for ranking in inputs])
