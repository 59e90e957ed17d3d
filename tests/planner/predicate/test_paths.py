"""Paths: what is refused, and what keeping and removing leave. Finding values is tested from docs/filters.md."""

import copy

import pytest

from planner.predicate.paths import keep, parse_path, remove

PAYLOAD: dict[str, object] = {
    "a": {"b": 1, "c": {"d": 2, "e": 3}},
    "l": [{"x": 1, "y": 2}, {"y": 3}, 4],
    "a.b": 5,
    "n": None,
    "m": [[{"y": 1}], [{"y": 1}, {"x": 1}, 2], 3, {"x": 4}],
}


@pytest.mark.parametrize(
    "text", ["", ".", "a.", ".a", "a..b", "a[", "a]", "a[0]", "a[]b", '"a', '"a"b', '""', 'a"b', '"a"\n']
)
def test_what_is_no_path(text: str) -> None:
    with pytest.raises(ValueError, match="no path"):
        parse_path(text)


@pytest.mark.parametrize(
    ("paths", "kept"),
    [
        ([], {}),
        (["n"], {"n": None}),
        (["a.b"], {"a": {"b": 1}}),
        (["a.b", "a.c.d"], {"a": {"b": 1, "c": {"d": 2}}}),
        (["a", "a.b"], {"a": PAYLOAD["a"]}),
        (["a.c.nothing", "nothing"], {}),
        (['"a.b"'], {"a.b": 5}),
        (["l[].x"], {"l": [{"x": 1}, {}, None]}),
        (["l[].x", "l[].y"], {"l": [{"x": 1, "y": 2}, {"y": 3}, None]}),
        (["l[].z"], {}),
        (["m[][].x"], {"m": [[], [{}, {"x": 1}, None], None, {}]}),
        (["l[]"], {"l": PAYLOAD["l"]}),
        (["l.x"], {}),
        (["a[]"], {}),
    ],
)
def test_keep(paths: list[str], kept: dict[str, object]) -> None:
    assert keep(PAYLOAD, paths) == kept


@pytest.mark.parametrize(
    ("paths", "left"),
    [
        ([], PAYLOAD),
        (["a", "l", "n", "m"], {"a.b": 5}),
        (["a.c.d", "a.b"], {**PAYLOAD, "a": {"c": {"e": 3}}}),
        (["l[].y"], {**PAYLOAD, "l": [{"x": 1}, {}, 4]}),
        (["l[]"], {**PAYLOAD, "l": []}),
        (["l.x", "a[]", "nothing.at.all"], PAYLOAD),
        (["a", "a.b"], {key: value for key, value in PAYLOAD.items() if key != "a"}),
    ],
)
def test_remove(paths: list[str], left: dict[str, object]) -> None:
    before = copy.deepcopy(PAYLOAD)
    assert remove(PAYLOAD, paths) == left
    assert before == PAYLOAD, "the argument was changed"
