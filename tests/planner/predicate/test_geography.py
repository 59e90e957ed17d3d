"""Polygons where the oracle does not go: edges, holes' edges and the antimeridian."""

import pytest

from planner.predicate.geography import compile_location_test
from planner.query.filter import GeoPoint, GeoPolygon

SQUARE = tuple(GeoPoint(lat, lon) for lat, lon in [(0, 0), (0, 10), (10, 10), (10, 0)])
HOLE = tuple(GeoPoint(lat, lon) for lat, lon in [(4, 4), (4, 6), (6, 6), (6, 4)])
PACIFIC = tuple(GeoPoint(lat, lon) for lat, lon in [(0, 170), (0, -170), (10, -170), (10, 170)])


@pytest.mark.parametrize(
    ("exterior", "interiors", "lat", "lon", "within"),
    [
        (SQUARE, (), 0, 5, True),
        (SQUARE, (), 10, 10, True),
        (SQUARE, (), 10.001, 10, False),
        (SQUARE, (HOLE,), 4, 5, True),
        (SQUARE, (HOLE,), 4.001, 5, False),
        (PACIFIC, (), 5, 175, True),
        (PACIFIC, (), 5, -175, True),
        (PACIFIC, (), 5, 180, True),
        (PACIFIC, (), 5, 0, False),
        (tuple(reversed(PACIFIC)), (), 5, 175, True),
    ],
)
def test_polygons(
    exterior: tuple[GeoPoint, ...], interiors: tuple[tuple[GeoPoint, ...], ...], lat: float, lon: float, within: bool
) -> None:
    assert compile_location_test(GeoPolygon("a", exterior, interiors))(GeoPoint(lat, lon)) is within
