"""Binds fusions: one weight for each list."""

import math

from planner.bind.bound import BoundDbsf, BoundRrf
from planner.errors import InvalidQuery
from planner.limits import MAX_WEIGHT
from planner.query import Dbsf, Rrf
from planner.resolve import Asked
from storage.errors import NotFinite


def name_of_fusion(rank: Rrf | Dbsf) -> str:
    """The name of the fusion in the contract."""
    return "rrf" if isinstance(rank, Rrf) else "dbsf"


def bind_fusion(rank: Rrf | Dbsf, asked: Asked) -> BoundRrf | BoundDbsf:
    """Weights that are not given are 1. Raises InvalidQuery or NotFinite. Requires: the stage has prefetches."""
    lists, path = len(asked.stage.prefetch), f"{asked.path}query.{name_of_fusion(rank)}"
    asked.refuse_using("fusion")
    if isinstance(rank, Rrf):
        _check_not_negative(rank.k, f"{path}.k")
    if rank.weights is not None:
        _check_weights(rank.weights, lists, f"{path}.weights")
    weights = (1.0,) * lists if rank.weights is None else rank.weights
    return BoundRrf(rank.k, weights) if isinstance(rank, Rrf) else BoundDbsf(weights)


def _check_weights(weights: tuple[float, ...], lists: int, path: str) -> None:
    if len(weights) != lists:
        raise InvalidQuery(path, f"give one weight per prefetch: {lists}, not {len(weights)}")
    for index, weight in enumerate(weights):
        _check_not_negative(weight, f"{path}[{index}]")
        if weight > MAX_WEIGHT:
            raise InvalidQuery(f"{path}[{index}]", f"{weight:g} is more than MAX_WEIGHT allows ({MAX_WEIGHT:g})")
    if not any(weights):
        raise InvalidQuery(path, "at least one weight must not be 0")


def _check_not_negative(value: float, path: str) -> None:
    if not math.isfinite(value):
        raise NotFinite(path, f"{value} is not finite")
    if value < 0:
        raise InvalidQuery(path, f"{value:g} is less than 0")
