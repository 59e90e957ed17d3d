"""Conditions on records as dicts: `$endsWith` takes every character as itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater import Filter
from headwater._conditions import TextTest
from headwater._plain import filter_of_where
from planner.predicate.globs import compile_glob

PIECES = st.sampled_from("a*?[]{}!\\/é,-^")


@given(text=st.text(PIECES, max_size=4), suffix=st.text(PIECES, max_size=2))
def test_ends_with_takes_every_character_as_itself(text: str, suffix: str) -> None:
    condition = filter_of_where({"a": {"$endsWith": suffix}})
    assert isinstance(condition, Filter)
    (test,) = condition.must
    assert isinstance(test, TextTest)
    assert compile_glob(test.operand)(text) == text.endswith(suffix)


def test_what_ends_with_does_not_take() -> None:
    with pytest.raises(TypeError, match="endsWith"):
        filter_of_where({"a": {"$endsWith": 1}})
