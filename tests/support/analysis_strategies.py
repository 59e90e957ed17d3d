"""What Hypothesis draws of groups and aggregations, over the worlds of strategies.py."""

from dataclasses import replace

from hypothesis import strategies as st

from planner.analyze.aggregation import AggregateKind, AggregateQuery, Aggregation
from planner.analyze.group_query import GroupQuery
from planner.query.query import Nearest
from tests.support.oracle.query import World
from tests.support.strategies import FILTERS, PATHS, queries, seldom

AGGREGATIONS = st.one_of(
    st.just(Aggregation(AggregateKind.COUNT)), st.builds(Aggregation, st.sampled_from(AggregateKind), PATHS)
)
AGGREGATE_QUERIES = st.builds(
    lambda aggregations, group_by, filter, limit: AggregateQuery(
        aggregations=tuple(aggregations), group_by=group_by, filter=filter, limit=limit
    ),
    st.lists(AGGREGATIONS, min_size=1, max_size=3),
    st.none() | PATHS,
    seldom(FILTERS),
    st.sampled_from([1, 3, 10_000]),
)


@st.composite
def group_queries(draw: st.DrawFn, world: World) -> GroupQuery:
    """Groups of any valid query; sizes and limits small, so that groups lack points and searches have to go on."""
    query = draw(queries(world))
    size, limit = draw(st.integers(1, 4)), draw(st.none() | st.integers(1, 5))
    root = replace(query.root, limit=limit, offset=draw(st.integers(0, 2)))
    if isinstance(root.query, Nearest) and root.query.mmr is not None:
        mmr = replace(root.query.mmr, candidates=draw(st.none() | st.just(60)))
        root = replace(root, query=replace(root.query, mmr=mmr))
    return GroupQuery(query=replace(query, root=root), path=draw(PATHS), size=size)
