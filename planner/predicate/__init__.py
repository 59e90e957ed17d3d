"""What one condition means on one payload or id: paths, instants, locations, patterns, words. Knows no index."""

from planner.predicate.comparison import Comparison, StoredComparison, check_comparisons, compile_comparisons
from planner.predicate.conditions import ScalarCondition, compile_condition, compile_filter, element_test
from planner.predicate.contradictions import matches_nothing
from planner.predicate.cost import cost_of
from planner.predicate.geography import EARTH_RADIUS, distance, location_of, unrolled
from planner.predicate.id_conditions import IdCondition, check_on_id, holds_of_id, ids_named, is_on_id
from planner.predicate.instants import EXPECTED, instant_of, seconds_of
from planner.predicate.operands import check_has_id, check_operands
from planner.predicate.pairs import RUN, UNSPACED, has_unspaced, is_of_run, is_pair, pairs_of
from planner.predicate.paths import Step, check_path, first_key, keep, parse_path, path_text, remove, values_at
from planner.predicate.patterns import MAX_MEMORY
from planner.predicate.reports import ConditionReport, ServedBy, by_payloads, describe_reports
from planner.predicate.scalars import canonical, scalar_order
from planner.predicate.spelling import spelled, spelled_places, without_invisible
from planner.predicate.strings import PATTERNS
from planner.predicate.words import keys_of, words_of

__all__ = [
    "EARTH_RADIUS",
    "EXPECTED",
    "MAX_MEMORY",
    "PATTERNS",
    "RUN",
    "UNSPACED",
    "Comparison",
    "ConditionReport",
    "IdCondition",
    "ScalarCondition",
    "ServedBy",
    "Step",
    "StoredComparison",
    "by_payloads",
    "canonical",
    "check_comparisons",
    "check_has_id",
    "check_on_id",
    "check_operands",
    "check_path",
    "compile_comparisons",
    "compile_condition",
    "compile_filter",
    "cost_of",
    "describe_reports",
    "distance",
    "element_test",
    "first_key",
    "has_unspaced",
    "holds_of_id",
    "ids_named",
    "instant_of",
    "is_of_run",
    "is_on_id",
    "is_pair",
    "keep",
    "keys_of",
    "location_of",
    "matches_nothing",
    "pairs_of",
    "parse_path",
    "path_text",
    "remove",
    "scalar_order",
    "seconds_of",
    "spelled",
    "spelled_places",
    "unrolled",
    "values_at",
    "without_invisible",
    "words_of",
]
