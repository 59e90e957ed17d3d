"""Values at one path that are hard to tell apart, and conditions on them, for what Hypothesis draws."""

from typing import Any

from hypothesis import strategies as st

from planner.query.filter import (
    DatetimeRange,
    Equal,
    GeoBox,
    GeoPoint,
    GeoPolygon,
    GeoRadius,
    PayloadCondition,
    Range,
    TextOperator,
    TextTest,
)

STRINGS = st.sampled_from(["", "a", "ab", "b", "\ud7ff", "\ue000", "a\U0010ffff", "a\U0010ffffb", "\U0010ffff", "Ä"])
NUMBERS = st.one_of(
    st.sampled_from([2**53, 2**53 + 1, 2**53 + 2, float(2**53), 2**63 - 1, 2**63 - 2, -(2**63), 0.1, 0, -0.0, 1e308]),
    st.integers(-3, 3),
)
MOMENTS = st.sampled_from(
    [
        "2026-03-01T12:00:00.000000001Z",
        "2026-03-01T12:00:00.000000002Z",
        "2026-03-01T13:00:00.000000001+01:00",
        "9999-12-31T23:59:59Z",
        "0001-01-01T00:00:00Z",
        "2026-03-01",
    ]
)
PLACES = st.builds(
    lambda lat, lon: {"lat": lat, "lon": lon},
    st.sampled_from([0, 0.5, 90, -90, 52.5, 89.999]),
    st.sampled_from([0, 179.999, -179.999, 180, -180, 13.4]),
)
DENSE_VALUES: st.SearchStrategy[Any] = STRINGS | NUMBERS | MOMENTS | PLACES | st.sampled_from([None, True, [], {}])


def ranges(path: str, bounds: st.SearchStrategy[Any], kind: type) -> st.SearchStrategy[Any]:
    names = st.sets(st.sampled_from(["gt", "gte", "lt", "lte"]), min_size=1)
    return names.flatmap(
        lambda given: st.fixed_dictionaries(dict.fromkeys(given, bounds)).map(lambda each: kind(path=path, **each))
    )


DENSE_CONDITIONS: st.SearchStrategy[PayloadCondition] = st.one_of(
    ranges("x", NUMBERS, Range),
    ranges("x", STRINGS, Range),
    ranges("x", MOMENTS.filter(lambda text: "T" in text), DatetimeRange),
    st.builds(TextTest, st.just("x"), st.just(TextOperator.STARTS_WITH), STRINGS),
    st.builds(Equal, st.just("x"), STRINGS | NUMBERS),
    st.builds(
        GeoRadius,
        st.just("x"),
        st.builds(GeoPoint, st.sampled_from([0, 90, -90, 52.5]), st.sampled_from([0, 180, -179.999])),
        st.sampled_from([0.0, 111_195.0, 5e4, 2.0015e7, 2.1e7]),
    ),
    st.builds(
        GeoBox, st.just("x"), st.just(GeoPoint(90, 170)), st.sampled_from([GeoPoint(0, -170), GeoPoint(-90, 175)])
    ),
    st.builds(
        GeoPolygon,
        st.just("x"),
        st.just((GeoPoint(1, 170), GeoPoint(1, -170), GeoPoint(-1, -170), GeoPoint(-1, 170))),
        st.just(()),
    ),
)
