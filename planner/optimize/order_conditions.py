"""Rule: conditions of a filter get one order, cheap ones first, so that costly ones are tested on fewer points.

Filters that differ only in order become equal. So they are evaluated once, and their leaves run once.
"""

from dataclasses import replace

from planner.plan import Gate, Node, RankAll, Restrict, Scan, Search, map_children
from planner.predicate import cost_of
from planner.query import Condition, Filter, MinShould, describe_filter
from planner.resolve import derived_filter


def order_conditions(node: Node) -> Node:
    """Search({must: [regex, equal]}) -> Search({must: [equal, regex]})"""
    node = map_children(node, order_conditions)
    if isinstance(node, Search | Scan | RankAll | Gate | Restrict) and node.filter is not None:
        filter = derived_filter(_ordered_filter(node.filter))
        return node if filter == node.filter else replace(node, filter=filter)
    return node


def _ordered_filter(filter: Filter) -> Filter:
    enough = filter.min_should
    return Filter(
        must=_ordered(filter.must),
        should=_ordered(filter.should),
        must_not=_ordered(filter.must_not),
        min_should=enough and MinShould(_ordered(enough.conditions), enough.min_count),
    )


def _ordered(conditions: tuple[Condition, ...]) -> tuple[Condition, ...]:
    """By cost; equal costs by their text, so that the order in the request does not matter."""
    inner = [_ordered_filter(each) if isinstance(each, Filter) else each for each in conditions]
    if len(inner) < 2:
        return tuple(inner)
    return tuple(sorted(inner, key=lambda each: (cost_of(each), describe_filter(Filter(must=(each,))))))
