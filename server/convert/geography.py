"""Locations in filters: messages -> planner.query. It finds missing parts; the planner checks degrees and rings."""

from headwater.v1 import filter_pb2 as wire
from planner.errors import InvalidFilter
from planner.query import GeoBox, GeoPoint, GeoPolygon, GeoRadius
from server.convert.field_paths import join


def radius_of(payload_path: str, message: wire.GeoRadius, path: str) -> GeoRadius:
    _require(message, "center", path)
    return GeoRadius(payload_path, _point_of(message.center), message.radius)


def box_of(payload_path: str, message: wire.GeoBoundingBox, path: str) -> GeoBox:
    _require(message, "top_left", path)
    _require(message, "bottom_right", path)
    return GeoBox(payload_path, _point_of(message.top_left), _point_of(message.bottom_right))


def polygon_of(payload_path: str, message: wire.GeoPolygon, path: str) -> GeoPolygon:
    _require(message, "exterior", path)
    return GeoPolygon(payload_path, _ring_of(message.exterior), tuple(_ring_of(ring) for ring in message.interiors))


def _require(message: wire.GeoRadius | wire.GeoBoundingBox | wire.GeoPolygon, name: str, path: str) -> None:
    if not any(field.name == name for field, _ in message.ListFields()):
        raise InvalidFilter(join(path, name), "it is missing")


def _ring_of(message: wire.GeoRing) -> tuple[GeoPoint, ...]:
    return tuple(_point_of(point) for point in message.points)


def _point_of(message: wire.GeoPoint) -> GeoPoint:
    return GeoPoint(message.lat, message.lon)
