"""The oracle's meaning of operators on texts, instants and places, by other means than the planner's."""

import fnmatch
import math
import re
from datetime import UTC, datetime

from planner.query.filter import (
    DatetimeRange,
    FieldCondition,
    GeoBox,
    GeoPoint,
    GeoPolygon,
    GeoRadius,
    TextOperator,
    TextTest,
)
from tests.support.oracle import words as oracle_words


def passes(condition: FieldCondition, value: object) -> bool:
    match condition:
        case TextTest(operator=operator, operand=operand):
            return isinstance(value, str) and _text_passes(operator, operand, value)
        case DatetimeRange():
            return isinstance(value, str) and _datetime_passes(condition, value)
        case GeoRadius() | GeoBox() | GeoPolygon():
            return isinstance(value, dict) and _place_passes(condition, value)
    raise AssertionError(f"not an operator on texts, instants or places: {condition}")


def _text_passes(operator: TextOperator, operand: str, value: str) -> bool:
    match operator:
        case TextOperator.TEXT:
            return oracle_words.has_text(value, operand)
        case TextOperator.PHRASE:
            return oracle_words.has_phrase(value, operand)
        case TextOperator.STARTS_WITH:
            return value[: len(operand)] == operand
        case TextOperator.CONTAINS:
            return value.find(operand) >= 0
        case TextOperator.GLOB:  # fnmatch agrees on ASCII without braces, escapes and `**`
            return fnmatch.fnmatchcase(value, operand)
        case TextOperator.IGLOB:
            return fnmatch.fnmatchcase(value.lower(), operand.lower())
        case TextOperator.REGEX:
            return re.search(operand, value) is not None


def instant_of(text: str) -> datetime | None:
    """What the text says, in UTC when it has no offset; None when it is no date with an optional time of hours and
    minutes at least."""
    if not re.match(r"\d{4}-\d\d-\d\d(.\d\d:|$)", text):
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant


def _datetime_passes(bounds: DatetimeRange, value: str) -> bool:
    instant = instant_of(value)
    if instant is None:
        return False
    given = (bounds.gt, bounds.gte, bounds.lt, bounds.lte)
    gt, gte, lt, lte = (None if text is None else instant_of(text) for text in given)
    above = (gt is None or instant > gt) and (gte is None or instant >= gte)
    return above and (lt is None or instant < lt) and (lte is None or instant <= lte)


def _place_passes(condition: GeoRadius | GeoBox | GeoPolygon, value: dict[str, object]) -> bool:
    lat, lon = value.get("lat"), value.get("lon")
    if isinstance(lat, bool) or isinstance(lon, bool):
        return False
    if not (isinstance(lat, int | float) and isinstance(lon, int | float) and abs(lat) <= 90 and abs(lon) <= 180):
        return False
    match condition:
        case GeoRadius(center=center, radius=radius):
            chord = math.dist(_on_sphere(center.lat, center.lon), _on_sphere(lat, lon))
            return 2 * 6_371_008.8 * math.asin(min(1.0, chord / 2)) <= radius
        case GeoBox(top_left=top_left, bottom_right=bottom_right):
            width = (bottom_right.lon - top_left.lon) % 360 if bottom_right.lon < top_left.lon else None
            beside = (lon - top_left.lon) % 360 <= width if width else top_left.lon <= lon <= bottom_right.lon
            return beside and bottom_right.lat <= lat <= top_left.lat
        case GeoPolygon(exterior=exterior, interiors=interiors):
            return _around(exterior, lat, lon) and not any(_around(ring, lat, lon) for ring in interiors)


def _on_sphere(lat: float, lon: float) -> tuple[float, float, float]:
    phi, theta = math.radians(lat), math.radians(lon)
    return math.cos(phi) * math.cos(theta), math.cos(phi) * math.sin(theta), math.sin(phi)


def _around(ring: tuple[GeoPoint, ...], lat: float, lon: float) -> bool:
    """Whether the ring turns about the place, by the sum of angles: for places on no edge."""
    total = 0.0
    for one, other in zip(ring, (*ring[1:], ring[0]), strict=True):
        start = math.atan2(one.lat - lat, one.lon - lon)
        total += math.remainder(math.atan2(other.lat - lat, other.lon - lon) - start, math.tau)
    return abs(total) > math.pi
