"""Binds orders that give no scores: by a payload field, and at random."""

import math

from planner.bind.asked import Asked
from planner.bind.stored_vectors import Unread
from planner.errors import InvalidQuery
from planner.payload_index import compares_instants
from planner.predicate import EXPECTED, check_path, instant_of
from planner.query import OrderBy, Sample
from planner.rank import AtRandom, ByField, InstantStart, ValueStart
from storage.errors import NotFinite


def bind_order(order: OrderBy, asked: Asked) -> Unread[ByField]:
    """Raises InvalidQuery or NotFinite."""
    _refuse_using(asked)
    path = f"{asked.path}query.order_by"
    check_path(order.path, f"{path}.path")
    instants = compares_instants(order.path, asked.schema)
    start = (
        None if order.start_from is None else _start(order, order.start_from, f"{path}.start_from", instants=instants)
    )
    bound = ByField(order.path, order.descending, start, instants)
    return lambda _: bound


def bind_sample(sample: Sample, asked: Asked) -> Unread[AtRandom]:
    """The seed is the commit that is read unless the request gives one. Raises InvalidQuery."""
    _refuse_using(asked)
    seed = sample.seed
    if seed is None:
        return lambda reading: AtRandom(reading.source.reader.seq)
    if not 0 <= seed < 2**64:
        raise InvalidQuery(f"{asked.path}query.sample.seed", f"{seed} is not between 0 and 2^64 - 1")
    bound = AtRandom(seed)
    return lambda _: bound


def _refuse_using(asked: Asked) -> None:
    asked.refuse_using("an order by a field or at random")


def _start(order: OrderBy, start: int | float | str, field: str, *, instants: bool) -> ValueStart | InstantStart:
    if isinstance(start, float) and not math.isfinite(start):
        raise NotFinite(field, f"{start} is not finite")
    if not instants:
        return ValueStart(start)
    instant = instant_of(start) if isinstance(start, str) else None
    if not isinstance(start, str) or instant is None:
        what = f"the index of {order.path!r} orders by instants, and {start!r} is not {EXPECTED}"
        raise InvalidQuery(field, what)
    return InstantStart(start, instant)
