"""A filter is checked once: what reads points takes a checked filter, and few may make one."""

import ast
from pathlib import Path

import pytest

from planner.errors import InvalidFilter
from planner.query.filter import Equal, Filter
from planner.resolve.filters import check_filter, derived_filter
from storage.schema import CollectionSchema
from tests.support.documents import sources
from tests.support.root import ROOT

CHECKER = Path("planner/resolve/filters.py")
DERIVING = {
    "planner/analyze/groups.py",
    "planner/analyze/sampling.py",
    "planner/analyze/vector_coverage.py",
    "planner/execute/local_source.py",
    "planner/explain/failed_conditions.py",
    "planner/filtering/filter_sets.py",
    "planner/optimize/normalise_filter.py",
    "planner/optimize/order_conditions.py",
    "planner/optimize/push_down_filter.py",
    "planner/upkeep/first_queries.py",
}
"""Who makes filters of checked ones, or of names that are known. Nobody here takes one from a request."""


def test_a_checked_filter_is_the_one_that_was_asked() -> None:
    asked = Filter(must=(Equal("a", 1),))
    assert check_filter(asked, CollectionSchema(spaces={}), "filter") is asked
    assert derived_filter(asked) is asked
    with pytest.raises(InvalidFilter):
        check_filter(Filter(must=(Equal("", 1),)), CollectionSchema(spaces={}), "filter")


def test_only_the_checker_makes_a_checked_filter() -> None:
    assert _callers("CheckedFilter") == {str(CHECKER)}
    assert _callers("derived_filter") == DERIVING


def _callers(name: str) -> set[str]:
    """The files of the server and the planner that call a function of this name, or cast to it."""
    return {
        str(path)
        for path in sources("planner", "server")
        for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and name in {each.id for each in (node.func, *node.args) if isinstance(each, ast.Name)}
    }
