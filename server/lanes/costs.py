"""Estimates the cost of a request from its name and its message, and so chooses its lane. It reads no stored data.

Some costs are not known beforehand: a filter may make a search scan many rows. A request in the cheap lane that has
used CHEAP_SECONDS of processor time therefore continues in the dear lane.
"""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any


class Kind(Enum):
    """The kinds of requests.

    CHEAP takes some milliseconds. DEAR uses the processor, and may take long. TASK waits long for files, processes or
    commits."""

    CHEAP = 1
    DEAR = 2
    TASK = 3


DEAR_BYTES = 2**16
"""A message of more bytes makes a request dear: reading it alone takes a millisecond or more."""

DEAR_POINTS = 500
"""A request for more points is dear. Points of the answer and of all stages count. Each takes 5 to 20 microseconds."""

DEFAULT_LIMIT = 10
VECTOR_WEIGHT = 4
"""A point with its vectors counts as this many points."""


def kind_of(method: str, request: Any, size: int) -> Kind:
    """The kind of a request of `size` bytes to the RPC `method`, such as `headwater.v1.Points/Search`.

    `request` is the parsed message. It is None if the message was not parsed yet, or if there is none.
    """
    fixed = _FIXED.get(method)
    if fixed is not None:
        return fixed
    if size > DEAR_BYTES:
        return Kind.DEAR
    points = None if request is None else _POINTS.get(method)
    return kind_of_points(0 if points is None else points(request), size)


def kind_of_points(points: int, size: int) -> Kind:
    """The kind of a request of `size` bytes that searches, with so many points: see `points_of`."""
    return Kind.DEAR if size > DEAR_BYTES or points > DEAR_POINTS else Kind.CHEAP


def points_of(request: Any) -> int:
    """The points of a PointsSearchRequest or PointsQueryRequest: those of its answer and of all its stages."""
    return _query(request) if hasattr(request, "prefetch") else _search(request)


def _limit(request: Any) -> int:
    return int(request.limit) if request.HasField("limit") else DEFAULT_LIMIT


def _weight(request: Any) -> int:
    return VECTOR_WEIGHT if request.HasField("with_vectors") else 1


def _page(request: Any) -> int:
    """Counts the points of a scroll. What its filter costs is known only when it runs."""
    return _limit(request) * _weight(request)


def _read(request: Any) -> int:
    return len(request.ids) * _weight(request)


def _search(request: Any) -> int:
    return (_limit(request) + int(request.offset)) * _weight(request)


def _query(request: Any) -> int:
    return _search(request) + _stages(request)


def _stages(stage: Any) -> int:
    """Counts the candidates of the stages below. MMR compares its candidates in pairs, so they count more."""
    below: int = sum(_limit(each) + _stages(each) for each in stage.prefetch)
    if stage.HasField("query") and stage.query.HasField("nearest_with_mmr"):
        candidates = stage.query.nearest_with_mmr.candidates
        below += (candidates or _limit(stage)) * VECTOR_WEIGHT
    return below


_POINTS: Mapping[str, Callable[[Any], int]] = {
    "headwater.v1.Points/Search": _search,
    "headwater.v1.Points/SearchBatch": lambda request: sum(map(_search, request.searches)),
    "headwater.v1.Points/Query": _query,
    "headwater.v1.Points/QueryBatch": lambda request: sum(map(_query, request.queries)),
    "headwater.v1.Points/Scroll": _page,
    "headwater.v1.Points/Get": _read,
    "headwater.v1.Indexes/Search": lambda request: _search(request) * max(1, len(request.labels)),
}

_FIXED: Mapping[str, Kind] = {
    **dict.fromkeys(
        (
            "headwater.v1.Points/QueryGroups",
            "headwater.v1.Points/Facet",
            "headwater.v1.Points/Aggregate",
            "headwater.v1.Points/SearchMatrixPairs",
            "headwater.v1.Points/SearchMatrixOffsets",
            "headwater.v1.Points/Explain",
            "headwater.v1.Points/ExplainPoint",
            "headwater.v1.VDE/EvaluateRecall",
            "headwater.v1.VDE/GetStats",
            "headwater.v1.VDE/Prewarm",
        ),
        Kind.DEAR,
    ),
    **dict.fromkeys(
        (
            "headwater.v1.Collections/Create",
            "headwater.v1.Collections/Update",
            "headwater.v1.Collections/Delete",
            "headwater.v1.Collections/UpdateAliases",
            "headwater.v1.Points/CreateFieldIndex",
            "headwater.v1.Points/DeleteFieldIndex",
            "headwater.v1.Points/CreateTextIndex",
            "headwater.v1.Points/DeleteTextIndex",
            "headwater.v1.Indexes/Create",
            "headwater.v1.Indexes/Delete",
            "headwater.v1.VDE/Open",
            "headwater.v1.VDE/Close",
            "headwater.v1.VDE/Flush",
            "headwater.v1.VDE/Optimize",
            "headwater.v1.VDE/RebuildIndex",
            "headwater.v1.VDE/CompactCollection",
            "headwater.v1.VDE/CloneCollection",
            "headwater.v1.VDE/CreateSnapshot",
            "headwater.v1.VDE/DeleteSnapshot",
            "headwater.v1.VDE/RestoreSnapshot",
            "headwater.v1.VDE/DeletePartition",
        ),
        Kind.TASK,
    ),
}
