"""The points of a write: messages, or columns that were read natively -> ids, payloads and vectors by space.

Columns that do not fit the schema are converted as messages, which finds the error and names the field.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from headwater.v1 import points_pb2
from headwater.v1.common_pb2 import PointStruct
from server.convert.field_paths import join
from server.convert.ids import point_id_of
from server.convert.payload import stored_payload
from server.convert.sparse_and_multi import space_bodies_of
from server.convert.vectors import space_vectors_of
from server.wire import ColumnarRequest, PointColumns
from storage.errors import InvalidRequest
from storage.schema import CollectionSchema, PointId
from storage.write import SpaceBodies, SpaceVectors, fits

UpsertRequest = points_pb2.PointsUpsertRequest | ColumnarRequest[points_pb2.PointsUpsertRequest]
UpdateVectorsRequest = points_pb2.PointsUpdateVectorsRequest | ColumnarRequest[points_pb2.PointsUpdateVectorsRequest]


@dataclass(frozen=True, slots=True)
class WrittenPoints:
    """See storage.write.Upsert. `payloads` is empty where points have none."""

    ids: tuple[PointId, ...]
    payloads: Sequence[bytes]
    vectors: Mapping[str, SpaceVectors]
    bodies: Mapping[str, SpaceBodies]


def upserted_points(request: UpsertRequest, path: str, schema: CollectionSchema) -> WrittenPoints:
    """The points of an upsert. Raises InvalidRequest and its subclasses, naming the field."""
    if isinstance(request, ColumnarRequest):
        return _of_columns(request.points, schema) or upserted_points(request.whole(), path, schema)
    points, here = request.points, join(path, "points")
    check_some(len(points), here)
    return WrittenPoints(
        ids=_ids_of(points, here),
        payloads=tuple(stored_payload(point.payload, f"{here}[{index}].payload") for index, point in enumerate(points)),
        vectors=space_vectors_of(schema, (point.vectors for point in points), here),
        bodies=space_bodies_of(schema, (point.vectors for point in points), here),
    )


def updated_points(request: UpdateVectorsRequest, path: str, schema: CollectionSchema) -> WrittenPoints:
    """The points of an update of vectors, of which each has at least one. Raises InvalidRequest and its subclasses."""
    if isinstance(request, ColumnarRequest):
        return _of_columns(request.points, schema) or updated_points(request.whole(), path, schema)
    points, here = request.points, join(path, "points")
    check_some(len(points), here)
    for index, point in enumerate(points):
        check_some(len(point.vectors), f"{here}[{index}].vectors")
    return WrittenPoints(
        ids=_ids_of(points, here),
        payloads=(),
        vectors=space_vectors_of(schema, (point.vectors for point in points), here),
        bodies=space_bodies_of(schema, (point.vectors for point in points), here),
    )


def check_some(count: int, path: str) -> None:
    """Raises InvalidRequest when the list at `path` is empty."""
    if count == 0:
        raise InvalidRequest(path, "at least one is needed")


def _of_columns(points: PointColumns, schema: CollectionSchema) -> WrittenPoints | None:
    """None: a vector is not one of a dense space of the schema."""
    for name, vectors in points.vectors.items():
        space = schema.dense.get(name)
        if space is None or not fits(space, vectors.matrix):
            return None
    return WrittenPoints(points.ids, points.payloads, points.vectors, bodies={})


def _ids_of(points: Sequence[PointStruct | points_pb2.PointVectors], path: str) -> tuple[PointId, ...]:
    return tuple(point_id_of(point.id, f"{path}[{index}].id") for index, point in enumerate(points))
