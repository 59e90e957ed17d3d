"""Tests of geographical places at a path. Evaluates nothing."""

from collections.abc import Iterable

from headwater._conditions.conditions import GeoBoundingBox, GeoPolygon, GeoRadius, Place


class PlaceTests:
    """The methods of a field that test places: dicts `{"lat": ..., "lon": ...}` in degrees."""

    __slots__ = ()

    path: str

    def geo_radius(self, *, lat: float, lon: float, radius: float) -> GeoRadius:
        """A place, `{"lat": ..., "lon": ...}`, at most `radius` metres away."""
        return GeoRadius(self.path, (lat, lon), radius)

    def geo_bounding_box(self, *, top_left: Place, bottom_right: Place) -> GeoBoundingBox:
        """A place between two (lat, lon) corners, edges included."""
        return GeoBoundingBox(self.path, top_left, bottom_right)

    def geo_polygon(self, *, exterior: Iterable[Place], interiors: Iterable[Iterable[Place]] = ()) -> GeoPolygon:
        """A place within the ring of (lat, lon) corners and in none of the holes."""
        return GeoPolygon(self.path, tuple(exterior), tuple(tuple(ring) for ring in interiors))
