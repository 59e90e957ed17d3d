"""Every way to rank that a query can name is bound."""

from typing import get_args

from planner.bind.ways import WAYS
from planner.query.query import Dbsf, Rank, Rrf


def test_every_word_of_a_query_is_bound_or_is_a_fusion() -> None:
    assert set(WAYS) == set(get_args(Rank)) - {Rrf, Dbsf}
