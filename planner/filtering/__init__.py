"""From a filter to the set of points that pass it, by indexes where it can; sets are remembered per commit."""

from planner.filtering.cache import FilterCache
from planner.filtering.filter_sets import FilterSets
from planner.filtering.id_order import first_matching
from planner.filtering.match import RANDOM_READ_COST, matches, matching_slots, payload_conditions
from planner.filtering.write_filters import WriteFilters

__all__ = [
    "RANDOM_READ_COST",
    "FilterCache",
    "FilterSets",
    "WriteFilters",
    "first_matching",
    "matches",
    "matching_slots",
    "payload_conditions",
]
