"""The tables of docs/filters.md, each row a test: of the planner's filters, and of the oracle's."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from planner.predicate.conditions import compile_condition
from planner.predicate.paths import parse_path, values_at
from planner.query.filter import (
    AnyOf,
    Condition,
    DatetimeRange,
    Equal,
    ExceptOf,
    Exists,
    Filter,
    GeoBox,
    GeoPoint,
    GeoPolygon,
    GeoRadius,
    IsEmpty,
    IsNull,
    MinShould,
    Nested,
    PayloadCondition,
    Range,
    TextOperator,
    TextTest,
    ValuesCount,
)
from tests.support.document_tables import Row, code, table
from tests.support.oracle import query as oracle
from tests.support.root import ROOT

DOCUMENT = ROOT / "docs" / "filters.md"


def condition_of(path: str, test: str) -> PayloadCondition:
    """`name` or `name: JSON` as a condition on `path`."""
    name, _, operand = test.partition(": ")
    value: Any = json.loads(operand) if operand else None
    match name:
        case "equal":
            return Equal(path, value)
        case "any_of":
            return AnyOf(path, tuple(value))
        case "except_of":
            return ExceptOf(path, tuple(value))
        case "range":
            return Range(path=path, **value)
        case "datetime_range":
            return DatetimeRange(path=path, **value)
        case "values_count":
            return ValuesCount(path=path, **value)
        case "geo_radius":
            lat, lon, radius = value
            return GeoRadius(path, GeoPoint(lat, lon), radius)
        case "geo_bounding_box":
            return GeoBox(path, *places(value))
        case "geo_polygon":
            exterior, *interiors = map(places, value)
            return GeoPolygon(path, exterior, tuple(interiors))
        case "nested":
            return Nested(path, Filter(must=tuple(Equal(key, element) for key, element in value.items())))
        case "exists":
            return Exists(path)
        case "is_null":
            return IsNull(path)
        case "is_empty":
            return IsEmpty(path)
    return TextTest(path, TextOperator(name), value)


def places(corners: list[list[float]]) -> tuple[GeoPoint, ...]:
    return tuple(GeoPoint(lat, lon) for lat, lon in corners)


def truth_table() -> Iterator[tuple[str, str, str]]:
    header, *rows = table(DOCUMENT, "What each test says")
    for row in rows:
        for column, expected in zip(header[1:], row[1:], strict=True):
            yield code(row[0])[0], code(column)[0], expected


def holds(condition: PayloadCondition, payload: dict[str, object]) -> str:
    """What the planner says; the oracle has to agree. (It does not know quoted keys, which these tables do not use.)"""
    planner = compile_condition(condition)(payload)
    assert oracle.holds(condition, 1, oracle.Point(payload, {})) is planner, "planner and oracle disagree"
    return "yes" if planner else "no"


@pytest.mark.parametrize(("test", "value", "expected"), list(truth_table()))
def test_truth_table(test: str, value: str, expected: str) -> None:
    payload = {} if value == "missing" else {"a": json.loads(value)}
    assert holds(condition_of("a", test), payload) == expected


@pytest.mark.parametrize("row", table(DOCUMENT, "Paths")[1:], ids=lambda row: row[0])
def test_paths(row: Row) -> None:
    path, payload, values = (code(cell)[0] for cell in row)
    assert values_at(json.loads(payload), parse_path(path)) == json.loads(values)


@pytest.mark.parametrize("row", table(DOCUMENT, "More cases")[1:], ids=lambda row: row[0] + row[1])
def test_more_cases(row: Row) -> None:
    path, test = code(row[0])
    assert holds(condition_of(path, test), json.loads(code(row[1])[0])) == row[2]


VALUES = [row for section in ("Strings", "Instants", "Locations", "Elements") for row in table(DOCUMENT, section)[1:]]


@pytest.mark.parametrize("row", VALUES, ids=lambda row: f"{row[0]} {row[1]}")
def test_values(row: Row) -> None:
    test, value = (code(cell)[0] for cell in row[:2])
    assert holds(condition_of("a", test), {"a": json.loads(value)}) == row[2]


@pytest.mark.parametrize("row", table(DOCUMENT, "Clauses")[1:], ids=lambda row: "/".join(row))
def test_clauses(row: Row) -> None:
    must, should, must_not, min_should = (" ".join(code(cell)).split() for cell in row[:4])
    filter = Filter(
        must=_flags(must),
        should=_flags(should),
        must_not=_flags(must_not),
        min_should=MinShould(_flags(min_should[1:]), int(min_should[0])) if min_should else None,
    )
    assert ("yes" if oracle.holds(filter, 1, oracle.Point({"t": True, "f": False}, {})) else "no") == row[4]


def _flags(names: list[str]) -> tuple[Condition, ...]:
    return tuple(Equal(name, True) for name in names)


def test_the_tables_are_found() -> None:
    assert len(list(truth_table())) == 29 * 15
    assert len(VALUES) == 29 + 17 + 17 + 6
    assert [len(table(DOCUMENT, name)) - 1 for name in ("Paths", "More cases", "Clauses")] == [17, 18, 15]
