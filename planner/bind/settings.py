"""Which settings of a stage are refused, and why. Its rank, its filter and its prefetches are checked elsewhere."""

import math

from planner.errors import InvalidQuery
from planner.limits import MAX_MMR_CANDIDATES, check_page
from planner.query import Mmr, OrderBy, Sample, ScoreMode, SearchAfter, SearchParams, Stage, is_by_metric
from storage.errors import LimitExceeded, NotFinite
from storage.schema import MAX_EF, MAX_OVERSAMPLING, check_levels
from storage.write import check_point_id


def check_root(root: Stage, path: str) -> None:
    """Checks the settings that only a root has. Raises InvalidQuery, NotFinite or InvalidPointId."""
    if root.score_mode is ScoreMode.DISTANCE and not is_by_metric(root.query):
        raise InvalidQuery(f"{path}score_mode", "only a stage that ranks by one vector has distances")
    if root.search_after is not None:
        _check_search_after(root, root.search_after, path)


def check_prefetch(stage: Stage, path: str) -> None:
    """Raises InvalidQuery if a prefetch has a setting that only a root has."""
    if stage.offset:
        raise InvalidQuery(f"{path}offset", "only the root has an offset")
    if stage.search_after is not None:
        raise InvalidQuery(f"{path}search_after", "only the root has search_after")
    if stage.score_mode is not ScoreMode.RAW:
        raise InvalidQuery(f"{path}score_mode", "only the root has a score mode")


def check_settings(stage: Stage, limit: int, path: str) -> None:
    """Raises InvalidLimit, InvalidQuery or NotFinite. `limit` is the stage's limit or its default."""
    check_page(limit, stage.offset, path)
    _check_params(stage.params, f"{path}params")
    _check_threshold(stage, f"{path}score_threshold")


def check_mmr(mmr: Mmr, limit: int, path: str) -> None:
    """Checks diversity. `limit` is the stage's limit: fewer candidates could not fill the first page."""
    if not math.isfinite(mmr.diversity):
        raise NotFinite(f"{path}.diversity", f"{mmr.diversity} is not finite")
    if not 0 <= mmr.diversity <= 1:
        raise InvalidQuery(f"{path}.diversity", f"{mmr.diversity:g} is not between 0 and 1")
    most = max(limit, mmr.candidates or 0)
    if most > MAX_MMR_CANDIDATES:
        raise LimitExceeded(f"{path}.candidates", limit="MAX_MMR_CANDIDATES", maximum=MAX_MMR_CANDIDATES, actual=most)
    if mmr.candidates is not None and mmr.candidates < limit:
        raise InvalidQuery(f"{path}.candidates", f"{mmr.candidates:,} is less than the limit ({limit:,})")


def _check_search_after(root: Stage, position: SearchAfter, path: str) -> None:
    if not math.isfinite(position.score):
        raise NotFinite(f"{path}search_after.score", f"{position.score} is not finite")
    check_point_id(position.id, f"{path}search_after.id")
    if root.offset:
        raise InvalidQuery(f"{path}offset", "search_after starts after a hit, so it takes no offset")
    if root.score_mode is not ScoreMode.RAW:
        raise InvalidQuery(f"{path}score_mode", "search_after starts after a raw score")


def _check_params(params: SearchParams, path: str) -> None:
    if params.hnsw_ef is not None and not 1 <= params.hnsw_ef <= MAX_EF:
        raise InvalidQuery(f"{path}.hnsw_ef", f"{params.hnsw_ef:,} is not between 1 and {MAX_EF:,}")
    check_levels(params.ivf_nprobe or (), f"{path}.ivf_nprobe")
    _check_oversampling(params, f"{path}.quantization.oversampling")


def _check_oversampling(params: SearchParams, path: str) -> None:
    if params.oversampling is None:
        return
    if not math.isfinite(params.oversampling):
        raise NotFinite(path, f"{params.oversampling} is not finite")
    if not 1 <= params.oversampling <= MAX_OVERSAMPLING:
        raise InvalidQuery(path, f"{params.oversampling:g} is not between 1 and {MAX_OVERSAMPLING:,}")


def _check_threshold(stage: Stage, path: str) -> None:
    if stage.score_threshold is None:
        return
    if stage.query is None:
        raise InvalidQuery(path, "without a query there is no score to compare")
    if isinstance(stage.query, OrderBy | Sample):
        raise InvalidQuery(path, "an order by a field or at random has no score to compare")
    if not math.isfinite(stage.score_threshold):
        raise NotFinite(path, f"{stage.score_threshold} is not finite")
