"""Locations on Earth: reads them from payloads, and tells whether they are near a point, in a box or in a polygon."""

import math
from collections.abc import Callable, Sequence
from typing import TypeGuard

from planner.query import GeoBox, GeoPoint, GeoPolygon, GeoRadius

EARTH_RADIUS = 6_371_008.8
"""Metres: the mean radius of Earth (IUGG). Distances are measured on a sphere of this radius."""

LocationTest = Callable[[GeoPoint], bool]
_Corner = tuple[float, float]  # longitude, latitude


def location_of(value: object) -> GeoPoint | None:
    """The location that an object `{"lat": ..., "lon": ...}` says; None for any other value."""
    if not isinstance(value, dict):
        return None
    lat, lon = value.get("lat"), value.get("lon")
    if not (_is_number(lat) and _is_number(lon) and abs(lat) <= 90 and abs(lon) <= 180):
        return None
    return GeoPoint(float(lat), float(lon))


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def compile_location_test(condition: GeoRadius | GeoBox | GeoPolygon) -> LocationTest:
    match condition:
        case GeoRadius(center=center, radius=radius):
            return lambda location: distance(center, location) <= radius
        case GeoBox(top_left=top_left, bottom_right=bottom_right):
            return _in_box(top_left, bottom_right)
        case GeoPolygon(exterior=exterior, interiors=interiors):
            return _in_polygon(exterior, interiors)


def distance(one: GeoPoint, other: GeoPoint) -> float:
    """Metres between two locations along the sphere, by the haversine formula."""
    one_lat, other_lat = math.radians(one.lat), math.radians(other.lat)
    across = math.sin(math.radians(other.lon - one.lon) / 2) ** 2
    h = math.sin((other_lat - one_lat) / 2) ** 2 + math.cos(one_lat) * math.cos(other_lat) * across
    return 2 * EARTH_RADIUS * math.asin(math.sqrt(min(1.0, h)))


def _in_box(top_left: GeoPoint, bottom_right: GeoPoint) -> LocationTest:
    left, right = top_left.lon, bottom_right.lon

    def test(location: GeoPoint) -> bool:
        # -180 and 180 are one meridian, so both edges of the box are compared with either.
        longitudes = (-180.0, 180.0) if abs(location.lon) == 180 else (location.lon,)
        within = any(left <= lon <= right if left <= right else lon >= left or lon <= right for lon in longitudes)
        return within and bottom_right.lat <= location.lat <= top_left.lat

    return test


def _in_polygon(exterior: Sequence[GeoPoint], interiors: Sequence[Sequence[GeoPoint]]) -> LocationTest:
    outer, holes = unrolled(exterior), [unrolled(ring) for ring in interiors]

    def test(location: GeoPoint) -> bool:
        if not any(_in_ring(outer, corner, edge=True) for corner in _turns(location)):
            return False
        return not any(_in_ring(hole, corner, edge=False) for hole in holes for corner in _turns(location))

    return test


def unrolled(ring: Sequence[GeoPoint]) -> list[_Corner]:
    """The corners (longitude, latitude) of a ring. Longitudes go on beyond ±180, so that no edge spans more than half a
    turn.

    Raises ValueError when there are fewer than three corners or the ring goes round a pole.
    """
    closed = len(ring) > 1 and ring[0] == ring[-1]
    points = list(ring[:-1] if closed else ring)
    if len(points) < 3:
        raise ValueError("a ring needs at least three corners")
    corners: list[_Corner] = []
    for point in [*points, points[0]]:
        lon = point.lon
        if corners:
            lon = corners[-1][0] + math.remainder(lon - corners[-1][0], 360)
        corners.append((lon, point.lat))
    if abs(corners[-1][0] - corners[0][0]) > 180:
        raise ValueError("a ring must not go round a pole")
    return corners[:-1]


def _turns(location: GeoPoint) -> list[_Corner]:
    """The location as a ring sees it that crosses the antimeridian: also one turn further west and east."""
    return [(location.lon + turn, location.lat) for turn in (0, 360, -360)]


def _in_ring(ring: Sequence[_Corner], corner: _Corner, *, edge: bool) -> bool:
    """Whether the location is inside: an odd number of edges lies east of it. On an edge the answer is `edge`."""
    x, y = corner
    inside = False
    for (x1, y1), (x2, y2) in zip(ring, [*ring[1:], ring[0]], strict=True):
        turn = (x2 - x1) * (y - y1) - (y2 - y1) * (x - x1)
        if turn == 0 and min(x1, x2) <= x <= max(x1, x2) and min(y1, y2) <= y <= max(y1, y2):
            return edge
        if (y1 > y) != (y2 > y) and (turn < 0) == (y2 < y1):
            inside = not inside
    return inside
