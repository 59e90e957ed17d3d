"""What it costs to test a condition on one point, compared with other conditions.

How conditions are tested is in filtering/match.py.
"""

from typing import assert_never

from planner.query import (
    AnyOf,
    Condition,
    DatetimeRange,
    Equal,
    ExceptOf,
    Exists,
    Filter,
    GeoBox,
    GeoPolygon,
    GeoRadius,
    HasId,
    HasVector,
    IsEmpty,
    IsNull,
    Nested,
    Range,
    TextOperator,
    TextTest,
    ValuesCount,
)

TEXT_COSTS = {
    TextOperator.STARTS_WITH: 3,
    TextOperator.CONTAINS: 3,
    TextOperator.TEXT: 12,
    TextOperator.PHRASE: 12,
    TextOperator.GLOB: 8,
    TextOperator.IGLOB: 8,
    TextOperator.REGEX: 8,
}


def cost_of(condition: Condition) -> int:
    """1 for a condition that needs no payload. Others grow roughly with their time on a short value."""
    match condition:
        case HasId() | HasVector():
            return 1
        case Equal() | AnyOf() | ExceptOf() | IsNull() | IsEmpty() | Exists() | Range() | ValuesCount():
            return 2
        case TextTest(operator=operator):
            return TEXT_COSTS[operator]
        case DatetimeRange():
            return 6
        case GeoBox() | GeoRadius():
            return 6
        case GeoPolygon(exterior=exterior, interiors=interiors):
            return 6 + len(exterior) + sum(map(len, interiors))
        case Nested(filter=filter):
            return 4 + cost_of(filter)
        case Filter():
            enough = condition.min_should.conditions if condition.min_should is not None else ()
            return sum(map(cost_of, (*condition.must, *condition.should, *condition.must_not, *enough)))
    assert_never(condition)
