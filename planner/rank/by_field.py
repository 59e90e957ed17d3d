"""The order of points by a payload field: by an index of the field if there is one, else by payloads.

Ascending: first numbers by value, then strings by their UTF-8 bytes, then points that have neither. Equal values are in
the order of ids. Descending: strings, then numbers, each reversed; points that have neither are last again, and ids
still ascend. Booleans, nulls and objects do not count. Of an array, the element that comes first in the order counts.

If the field has a declared index of datetimes, strings that are instants are ordered by time. Points without an instant
come last, whatever other values they have.
"""

import json
import math
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.errors import InvalidQuery
from planner.limits import ROWS_PER_CHECK
from planner.payload_index import FieldIndex, FieldIndexes, compares_instants
from planner.predicate import EXPECTED, Step, check_path, first_key, instant_of, parse_path, values_at
from planner.query import OrderBy
from planner.rank.index_order import InstantStart, Start, ValueStart, places_by_index
from planner.rank.ranker import Ranker, Statistics
from planner.rank.ranking import Descending, Ranking, SortKey, unscored
from planner.rank.run_context import RunContext
from planner.resolve import Asked, Unread
from storage.budget import Budget
from storage.errors import NotFinite
from storage.tables import Reader

VALUES_PER_READ = 256
"""An index looks at so many values in the time that reading one payload takes."""

KEY_BYTES = 200
"""Memory of a point that is sorted, besides the value by which it is sorted."""

Slots = NDArray[np.uint32]
_Key = tuple[bool, int | float | str]
"""False for numbers, true for strings, then the value: numbers come before strings."""


@dataclass(frozen=True, slots=True)
class ByField(Ranker):
    """The order by the values at a payload path. All scores are 0. `instants`: only instants count."""

    path: str
    descending: bool
    start: Start | None
    instants: bool

    @property
    def name(self) -> str:
        return "order_by"

    @property
    def is_scored(self) -> bool:
        return False

    def describe(self) -> dict[str, str]:
        start = {} if self.start is None else {"start_from": json.dumps(self.start.value, ensure_ascii=False)}
        return {"path": self.path, "direction": "descending" if self.descending else "ascending"} | start

    def no_rank(self) -> str:
        assert self.start is not None, "without a start, every point has a rank"
        return f"the order by {self.path} starts from {self.start.value!r}, after it"

    def sort_keys(self, ranking: Ranking, run: RunContext) -> list[SortKey]:
        """Reads the payload of each row."""
        keyed = _keyed(self, ranking.slots, run.reader, run.budget)
        return [
            (True, id_key) if key is None else (False, Descending(key) if self.descending else key, id_key)
            for _, id_key, key in keyed
        ]

    def rank(
        self,
        slots: Slots,
        run: RunContext,
        lists: Sequence[Ranking] = (),
        limit: int | None = None,
        statistics: Statistics | None = None,
    ) -> tuple[Ranking, int]:
        return unscored(order_by_field(self, slots, run.reader, run.budget, run.sets.fields, limit)), 0


def order_by_field(
    order: ByField,
    slots: Slots,
    reader: Reader,
    budget: Budget,
    fields: FieldIndexes | None = None,
    limit: int | None = None,
) -> Slots:
    """`slots` (n,) in the order, without those before `start`. At least the first `limit` of them are returned."""
    index = None if fields is None else fields.get(reader, order.path, budget)
    if index is not None and VALUES_PER_READ * len(slots) >= len(index.slots):
        return _by_index(order, slots, reader, index, budget, limit)
    keyed = sorted(_keyed(order, slots, reader, budget), key=lambda pair: pair[1])
    valued = [(key, slot) for slot, _, key in keyed if key is not None]
    # the sort is stable even when reversed, so equal values stay in the order of ids
    valued.sort(key=lambda pair: pair[0], reverse=order.descending)
    if order.start is not None:
        start = order.start.key
        valued = [(key, slot) for key, slot in valued if (key <= start if order.descending else key >= start)]
    rest = [slot for slot, _, key in keyed if key is None]
    return np.array([slot for _, slot in valued] + rest, np.uint32)


def _by_index(
    order: ByField, slots: Slots, reader: Reader, index: FieldIndex, budget: Budget, limit: int | None
) -> Slots:
    """The same by an index. Ids are read only of points that may be among the first `limit`."""
    places, outside = places_by_index(order, slots, index)
    valued = (places >= 0) & ~outside
    keys, held = places[valued], slots[valued]
    keys = -keys if order.descending else keys
    if limit is not None and limit < len(keys):
        last = np.partition(keys, limit - 1)[limit - 1]
        keys, held = keys[keys <= last], held[keys <= last]
    by_id = _by_id(held, reader, budget)
    held = held[by_id][np.argsort(keys[by_id], kind="stable")]
    rest = slots[places < 0]
    if limit is not None and limit <= len(held):
        return held
    return np.concatenate([held, rest[_by_id(rest, reader, budget)]])


def _by_id(slots: Slots, reader: Reader, budget: Budget) -> NDArray[np.intp]:
    """The positions of `slots` in the order of their ids."""
    keys: list[bytes] = []
    for start in range(0, len(slots), ROWS_PER_CHECK):
        budget.check()
        keys += reader.id_keys(slots[start : start + ROWS_PER_CHECK])
    return np.array(sorted(range(len(keys)), key=keys.__getitem__), np.intp)


def _keyed(order: ByField, slots: Slots, reader: Reader, budget: Budget) -> Iterable[tuple[int, bytes, _Key | None]]:
    steps, keys = parse_path(order.path), frozenset([first_key(order.path)])
    key_of = _instant_key_of if order.instants else _key_of
    for number, (slot, id_key) in enumerate(zip(slots.tolist(), reader.id_keys(slots), strict=True)):
        if number % ROWS_PER_CHECK == 0:
            budget.check()
        payload = reader.codec.decode(reader.record(slot).payload, keys)
        key = _first(payload, steps, key_of, descending=order.descending)
        budget.hold(KEY_BYTES if key is None else KEY_BYTES + sys.getsizeof(key[1]), f"the values of {order.path!r}")
        yield slot, id_key, key


def _first(
    payload: dict[str, object], steps: tuple[Step, ...], key_of: "_KeyMaker", *, descending: bool
) -> _Key | None:
    keys = [key for value in _opened(values_at(payload, steps)) if (key := key_of(value)) is not None]
    if not keys:
        return None
    return max(keys) if descending else min(keys)


def _opened(values: Iterable[object]) -> Iterable[object]:
    """All values, with arrays opened once, as in conditions."""
    for value in values:
        if isinstance(value, list):
            yield from value
        else:
            yield value


_KeyMaker = Callable[[object], _Key | None]


def _key_of(value: object) -> _Key | None:
    if isinstance(value, str):
        return True, value
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        return None
    return False, value


def _instant_key_of(value: object) -> _Key | None:
    instant = instant_of(value) if isinstance(value, str) else None
    return None if instant is None else (False, instant)


def bind_order(order: OrderBy, asked: Asked) -> Unread[ByField]:
    """Binds an order by a field. Raises InvalidQuery or NotFinite."""
    asked.refuse_using("an order by a field or at random")
    path = f"{asked.path}query.order_by"
    check_path(order.path, f"{path}.path")
    instants = compares_instants(order.path, asked.schema)
    start = (
        None if order.start_from is None else _start(order, order.start_from, f"{path}.start_from", instants=instants)
    )
    bound = ByField(order.path, order.descending, start, instants)
    return lambda _: bound


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
