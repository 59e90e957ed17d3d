"""Which conditions of a filter a point fails, and where the filter holds them.

filtering/match.py decides whether a condition holds.
"""

from collections.abc import Iterator

from planner.execute import Inspection, Source
from planner.explain.absence import FailedCondition
from planner.query import Condition, Filter, describe_filter
from planner.resolve import derived_filter


def failed_conditions(source: Source, filter: Filter, slot: int, path: str) -> tuple[FailedCondition, ...]:
    """The conditions of the filter at `path` that the point in `slot` fails; none if it matches.

    Of nested filters, the innermost conditions are named. Of `should` and `min_should`, the whole clause fails.
    """
    return tuple(_failed(source.inspection, filter, slot, path))


def _failed(known: Inspection, filter: Filter, slot: int, path: str) -> Iterator[FailedCondition]:
    def holds(condition: Condition) -> bool:
        one = condition if isinstance(condition, Filter) else Filter(must=(condition,))
        return known.matches(derived_filter(one), slot)

    for index, condition in enumerate(filter.must):
        if not holds(condition):
            here = f"{path}.must[{index}]"
            if isinstance(condition, Filter):
                yield from _failed(known, condition, slot, f"{here}.filter")
            else:
                yield FailedCondition(here, describe_filter(Filter(must=(condition,))))
    if filter.should and not any(map(holds, filter.should)):
        yield FailedCondition(f"{path}.should", describe_filter(Filter(should=filter.should)))
    for index, condition in enumerate(filter.must_not):
        if holds(condition):
            yield FailedCondition(f"{path}.must_not[{index}]", describe_filter(Filter(must_not=(condition,))))
    enough = filter.min_should
    if enough is not None and sum(map(holds, enough.conditions)) < enough.min_count:
        yield FailedCondition(f"{path}.min_should", describe_filter(Filter(min_should=enough)))
