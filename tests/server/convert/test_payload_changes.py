"""What payload writes do to payloads."""

import pytest

from server.convert.payload_changes import merged, replaced


@pytest.mark.parametrize(
    ("payload", "keys", "values", "after"),
    [
        ({"a": 1, "b": 2}, (), {"b": 3, "c": 4}, {"a": 1, "b": 3, "c": 4}),
        ({"a": {"b": {"x": 1}}}, ("a", "b"), {"y": 2}, {"a": {"b": {"x": 1, "y": 2}}}),
        ({}, ("a", "b"), {"x": 1}, {"a": {"b": {"x": 1}}}),
        ({"a": 5}, ("a",), {"x": 1}, {"a": {"x": 1}}),
        ({"a": [1]}, ("a",), {"x": 1}, {"a": {"x": 1}}),
        ({"a": None}, ("a",), {}, {"a": {}}),
        ({"a": {"b": 1}}, (), {"a": {"c": 2}}, {"a": {"c": 2}}),
    ],
)
def test_merging(
    payload: dict[str, object], keys: tuple[str, ...], values: dict[str, object], after: dict[str, object]
) -> None:
    before = repr(payload)
    assert merged(payload, keys, values) == after
    assert repr(payload) == before


def test_replacing() -> None:
    assert replaced({"a": 1}, {"b": 2}) == {"b": 2}
