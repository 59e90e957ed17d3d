"""Rule: filters lose needless nesting, repeats, and clauses without effect. It drops no node; drop_empty does."""

from collections.abc import Iterable
from dataclasses import replace

from planner.plan import Gate, Node, RankAll, Restrict, Scan, Search, map_children
from planner.predicate import matches_nothing
from planner.query import Condition, Filter, MinShould
from planner.resolve import derived_filter

_EVERY_POINT = Filter()


def normalise_filter(node: Node) -> Node:
    """Search({must: [{must: [a]}, {}]}) -> Search({must: [a]})"""
    node = map_children(node, normalise_filter)
    if isinstance(node, Search | Scan | RankAll | Gate | Restrict) and node.filter is not None:
        filter = derived_filter(simplify(node.filter))
        return node if filter == node.filter else replace(node, filter=filter)
    return node


def simplify(filter: Filter) -> Filter:
    """A filter with the same meaning and fewer parts. If there is nothing to do, an equal object."""
    must = _splice_must(_simplify_all(filter.must))
    should = _splice_should(_simplify_all(filter.should))
    must_not = _without_impossible(_splice_should(_simplify_all(filter.must_not)))
    should = _without_impossible(should) or should
    if _EVERY_POINT in should:
        should = ()
    if len(should) == 1:
        must, should = _splice_must((*must, *should)), ()
    min_should = filter.min_should and _simplify_min_should(filter.min_should)
    if min_should is not None and min_should.min_count == len(min_should.conditions):
        must, min_should = _splice_must((*must, *min_should.conditions)), None
    return _unwrap(Filter(must=must, should=should, must_not=must_not, min_should=min_should))


def _simplify_all(conditions: tuple[Condition, ...]) -> tuple[Condition, ...]:
    return tuple(_simplify_condition(condition) for condition in conditions)


def _simplify_condition(condition: Condition) -> Condition:
    """The condition, with nested filters simplified. A nested filter with a single condition becomes that condition."""
    if not isinstance(condition, Filter):
        return condition
    filter = simplify(condition)
    return filter.must[0] if filter == Filter(must=filter.must[:1]) and filter.must else filter


def _simplify_min_should(clause: MinShould) -> MinShould | None:
    """Conditions that hold for every point are counted and removed. None when they are enough."""
    conditions = _simplify_all(clause.conditions)
    kept = tuple(condition for condition in conditions if condition != _EVERY_POINT)
    min_count = clause.min_count - (len(conditions) - len(kept))
    return MinShould(kept, min_count) if min_count > 0 else None


def _splice_must(conditions: tuple[Condition, ...]) -> tuple[Condition, ...]:
    """A nested filter that has only `must` gives its conditions to the `must` around it. Repeats are removed."""
    return _unique(
        inner
        for condition in conditions
        for inner in (
            condition.must
            if isinstance(condition, Filter) and condition == Filter(must=condition.must)
            else (condition,)
        )
    )


def _splice_should(conditions: tuple[Condition, ...]) -> tuple[Condition, ...]:
    """A nested filter that has only `should` gives its conditions to the clause around it. Repeats are removed."""
    return _unique(
        inner
        for condition in conditions
        for inner in (
            condition.should
            if isinstance(condition, Filter) and condition.should and condition == Filter(should=condition.should)
            else (condition,)
        )
    )


def _without_impossible(conditions: tuple[Condition, ...]) -> tuple[Condition, ...]:
    return tuple(condition for condition in conditions if not matches_nothing(condition))


def _unique(conditions: Iterable[Condition]) -> tuple[Condition, ...]:
    return tuple(dict.fromkeys(conditions))


def _unwrap(filter: Filter) -> Filter:
    """A filter that holds only one nested filter becomes that filter."""
    only = filter.must[0] if len(filter.must) == 1 else None
    return only if isinstance(only, Filter) and filter == Filter(must=filter.must) else filter
