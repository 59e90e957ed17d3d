"""Finds conditions that no point can pass, from the conditions alone. It does not find all of them."""

from planner.query import AnyOf, Condition, Filter, HasId, Nested, Range, ValuesCount


def matches_nothing(condition: Condition) -> bool:
    """True only if no point can match, whatever is stored. False says nothing."""
    match condition:
        case HasId(ids=()) | AnyOf(values=()):
            return True
        case Range():
            return _no_value_between(condition)
        case ValuesCount():
            return _no_count_between(condition)
        case Nested(filter=filter):
            return matches_nothing(filter)
        case Filter():
            return any(map(matches_nothing, condition.must)) or _clauses_contradict(condition)
        case _:
            return False


def _no_value_between(bounds: Range) -> bool:
    """Requires: both bounds are of one type, which operands.py checks.

    In an array, too, one value must lie between both.
    """
    lows = [bound for bound in (bounds.gt, bounds.gte) if bound is not None]
    highs = [bound for bound in (bounds.lt, bounds.lte) if bound is not None]
    if not lows or not highs:
        return False
    low, high = max(lows), min(highs)
    closed = bounds.gt != low and bounds.lt != high
    return bool(low > high or (low == high and not closed))  # type: ignore[operator]


def _no_count_between(bounds: ValuesCount) -> bool:
    lows = [0] + [bound for bound in (bounds.gte, None if bounds.gt is None else bounds.gt + 1) if bound is not None]
    highs = [bound for bound in (bounds.lte, None if bounds.lt is None else bounds.lt - 1) if bound is not None]
    return bool(highs) and max(lows) > min(highs)


def _clauses_contradict(filter: Filter) -> bool:
    ids = [set(condition.ids) for condition in filter.must if isinstance(condition, HasId)]
    if len(ids) > 1 and not set.intersection(*ids):
        return True
    if filter.should and all(map(matches_nothing, filter.should)):
        return True
    refused = set(filter.must_not)
    if Filter() in refused or not refused.isdisjoint(filter.must):
        return True
    enough = filter.min_should
    return enough is not None and sum(not matches_nothing(each) for each in enough.conditions) < enough.min_count
