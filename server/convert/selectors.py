"""Which parts of points are returned: messages -> planner selectors. By default: the whole payload and no vectors."""

from headwater.v1.indexes_pb2 import IndexesSearchRequest
from headwater.v1.points_pb2 import (
    GroupLookup,
    PointsGetRequest,
    PointsQueryRequest,
    PointsScrollRequest,
    PointsSearchRequest,
)
from planner.query import PayloadSelector, VectorsSelector
from server.convert.field_paths import join, kind_of

Reading = (
    PointsGetRequest
    | PointsScrollRequest
    | PointsSearchRequest
    | PointsQueryRequest
    | GroupLookup
    | IndexesSearchRequest
)


def payload_selector_of(request: Reading, path: str = "") -> PayloadSelector | None:
    """The parts of the payload that the request at `path` asks for; None: none."""
    if not request.HasField("with_payload"):
        return PayloadSelector()
    selector = request.with_payload
    match kind_of(selector, join(path, "with_payload")):
        case "include":
            return PayloadSelector(include=tuple(selector.include.names))
        case "exclude":
            return PayloadSelector(exclude=tuple(selector.exclude.names))
        case _:
            return PayloadSelector() if selector.enable else None


def vectors_selector_of(request: Reading, path: str = "") -> VectorsSelector | None:
    """The vectors that the request at `path` asks for; None: none."""
    if not request.HasField("with_vectors"):
        return None
    selector = request.with_vectors
    if kind_of(selector, join(path, "with_vectors")) == "include":
        return VectorsSelector(include=tuple(selector.include.names))
    return VectorsSelector() if selector.enable else None
