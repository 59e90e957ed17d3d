"""Queries as JSON, for golden files: the fields of the wire contract, shorter. It validates nothing."""

import json
from typing import Any

import numpy as np

from planner.query.filter import (
    AnyOf,
    Condition,
    Equal,
    ExceptOf,
    Filter,
    HasId,
    HasVector,
    IsEmpty,
    IsNull,
    MinShould,
    Range,
    TextOperator,
    TextTest,
)
from planner.query.formula import Constant, Expression, FieldValue, Formula, Holds, ListFunction, OfList, PrefetchScore
from planner.query.metrics import Metric
from planner.query.query import (
    ByMetrics,
    Dbsf,
    FilterScope,
    Nearest,
    Query,
    QueryVector,
    Rank,
    Rrf,
    ScoreMode,
    SearchParams,
    Stage,
    StoredVector,
)


def query_of(text: str) -> Query:
    return Query(root=_stage_of(json.loads(text)))


def _stage_of(data: dict[str, Any]) -> Stage:
    return Stage(
        query=_rank_of(data["query"]) if "query" in data else None,
        using=data.get("using"),
        prefetch=tuple(_stage_of(child) for child in data.get("prefetch", [])),
        filter=_filter_of(data["filter"]) if "filter" in data else None,
        filter_scope=FilterScope(data.get("filter_scope", "gate")),
        params=SearchParams(**data.get("params", {})),
        score_threshold=data.get("score_threshold"),
        limit=data.get("limit"),
        offset=data.get("offset", 0),
        score_mode=ScoreMode(data.get("score_mode", "raw")),
    )


def _rank_of(data: Any) -> Rank:
    match data:
        case list():
            return Nearest(QueryVector(np.array(data, np.float32)))
        case {"id": point_id}:
            return Nearest(StoredVector(point_id))
        case {"rrf": dict(settings)}:
            return Rrf(settings.get("k", 60.0), _weights_of(settings))
        case {"dbsf": dict(settings)}:
            return Dbsf(_weights_of(settings))
        case {"rescore": {"vector": values, "metric": metric}}:
            return ByMetrics(QueryVector(np.array(values, np.float32)), Metric(metric))
        case {"formula": expression}:
            return Formula(_expression_of(expression))
    raise AssertionError(f"no query: {data}")


def _expression_of(data: Any) -> Expression:
    match data:
        case int() | float():
            return Constant(float(data))
        case {"score": index}:
            return PrefetchScore(index)
        case {"field": path}:
            return FieldValue(path)
        case {"condition": filter}:
            return Holds(_filter_of(filter))
        case {"sum": parts}:
            return OfList(ListFunction.SUM, tuple(map(_expression_of, parts)))
        case {"mult": parts}:
            return OfList(ListFunction.MULT, tuple(map(_expression_of, parts)))
    raise AssertionError(f"no expression: {data}")


def _weights_of(settings: dict[str, Any]) -> tuple[float, ...] | None:
    return tuple(settings["weights"]) if "weights" in settings else None


def _filter_of(data: dict[str, Any]) -> Filter:
    enough = data.get("min_should")
    return Filter(
        must=_conditions_of(data.get("must", [])),
        should=_conditions_of(data.get("should", [])),
        must_not=_conditions_of(data.get("must_not", [])),
        min_should=MinShould(_conditions_of(enough["conditions"]), enough["min_count"]) if enough else None,
    )


def _conditions_of(data: list[Any]) -> tuple[Condition, ...]:
    return tuple(_condition_of(condition) for condition in data)


def _condition_of(data: dict[str, Any]) -> Condition:
    match data:
        case {"has_id": ids}:
            return HasId(tuple(ids))
        case {"has_vector": using}:
            return HasVector(using)
        case {"path": path, "equal": value}:
            return Equal(path, value)
        case {"path": path, "any_of": values}:
            return AnyOf(path, tuple(values))
        case {"path": path, "except_of": values}:
            return ExceptOf(path, tuple(values))
        case {"path": path, "range": bounds}:
            return Range(path=path, **bounds)
        case {"path": path, "regex": pattern}:
            return TextTest(path, TextOperator.REGEX, pattern)
        case {"path": path, "is_null": True}:
            return IsNull(path)
        case {"path": path, "is_empty": True}:
            return IsEmpty(path)
    return _filter_of(data)
