"""Writers: each changes points of its own, and knows exactly what must be there. A write in flight at a kill may be."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np

from headwater import DeletePayload, DeletePoints, Field, PointStruct, PointVectors, SetPayload, Upsert
from headwater.models import UpsertMode, WriteOperation
from tests.soak.worker import Worker

COLLECTION = "soak"
LIVE = 300
"""Points of a writer, about: the live set is bounded, so that what grows is a leak."""
SIZES = {"a": 32, "b": 8}


@dataclass
class Held:
    """A point as it must be. `stamp` is in its payload and in its vectors, so that a torn point shows."""

    payload: dict[str, Any]
    stamps: dict[str, int]


State = dict[int, Held]


def vector(space: str, number: int, stamp: int) -> list[float]:
    values = np.random.default_rng((number, stamp)).standard_normal(SIZES[space]).astype(np.float32)
    values[0] = stamp % 65536
    return [float(value) for value in values]


class Writer(Worker):
    """Writes the ids from `number` million on."""

    def __init__(self, number: int, *rest: Any) -> None:
        super().__init__(f"writer {number}", *rest)
        self.number = number
        self.state: State = {}
        self.doubt: State | None = None
        """What it may be as well, since a write was in flight when the server went away."""
        self._stamp = 0
        self._next = number * 10**6

    def step(self) -> None:
        after = deepcopy(self.state)
        kinds = [
            *(self._insert, self._replace, self._delete, self._delete_by_filter, self._conditional, self._batch),
            *(self._payload, self._drop_key, self._vectors, self._drop_vectors),
        ]
        if len(self.state) < LIVE // 2:
            kinds = [self._insert]
        elif len(self.state) > LIVE:
            kinds = [self._delete, self._delete_by_filter]
        kind = self.random.choice(kinds)
        send = kind(after)
        self.doubt = after
        send()
        self.state, self.doubt = after, None
        self.did[kind.__name__.strip("_")] += 1

    def compare(self) -> None:
        found = {}
        for point in self.client.points.scroll_all(COLLECTION, filter=self._mine(), with_vectors=True):
            found[point.id] = point
        for held in (self.state, self.doubt):
            if held is not None and self._difference(held, found) is None:
                self.state, self.doubt = held, None
                self.compared += len(held)
                return
        raise AssertionError(f"{self.name}: {self._difference(self.state, found)} (in doubt: {self.doubt is not None})")

    def _difference(self, held: State, found: dict[Any, Any]) -> str | None:
        if held.keys() != found.keys():
            lost, strange = sorted(held.keys() - found.keys()), sorted(found.keys() - held.keys())
            return f"lost {lost[:10]}, strange {strange[:10]}"
        for number, point in held.items():
            there = found[number]
            if there.payload != point.payload:
                return f"point {number} has {there.payload}, not {point.payload}"
            vectors = there.vectors or {}
            if vectors.keys() != point.stamps.keys():
                return f"point {number} has vectors in {sorted(vectors)}, not in {sorted(point.stamps)}"
            for space, stamp in point.stamps.items():
                if not np.array_equal(vectors[space], np.array(vector(space, number, stamp), np.float32)):
                    return f"point {number} has another vector in {space}"
        return None

    def _mine(self) -> Any:
        return Field("w").eq(self.number)

    def _some(self, state: State, most: int) -> list[int]:
        return self.random.sample(sorted(state), min(len(state), self.random.randint(1, most)))

    def _stamped(self, ids: list[int], state: State) -> list[PointStruct]:
        """New points of these ids, put into `state`."""
        points = []
        for number in ids:
            self._stamp += 1
            spaces = [space for space in SIZES if self.random.random() < 0.8]
            payload = {"w": self.number, "n": self._stamp % 10, "text": "x" * self.random.randint(0, 600)}
            state[number] = Held(payload, dict.fromkeys(spaces, self._stamp))
            vectors = {space: vector(space, number, self._stamp) for space in spaces}
            points.append(PointStruct(number, vectors, dict(payload)))
        return points

    def _insert(self, state: State) -> Callable[[], Any]:
        count = self.random.randint(1, 40)
        ids = list(range(self._next, self._next + count))
        self._next += count
        points = self._stamped(ids, state)
        return lambda: self.client.points.upsert(COLLECTION, points)

    def _replace(self, state: State) -> Callable[[], Any]:
        points = self._stamped(self._some(state, 20), state)
        return lambda: self.client.points.upsert(COLLECTION, points)

    def _delete(self, state: State) -> Callable[[], Any]:
        ids = self._some(state, 40)
        for number in ids:
            del state[number]
        return lambda: self.client.points.delete(COLLECTION, ids=ids)

    def _delete_by_filter(self, state: State) -> Callable[[], Any]:
        low = self.random.randint(0, 9)
        for number in [number for number, held in state.items() if held.payload.get("n") == low]:
            del state[number]
        chosen = self._mine() & Field("n").eq(low)
        return lambda: self.client.points.delete(COLLECTION, filter=chosen)

    def _payload(self, state: State) -> Callable[[], Any]:
        ids = self._some(state, 20)
        for number in ids:
            state[number].payload["seen"] = self._stamp
        return lambda: self.client.points.set_payload(COLLECTION, {"seen": self._stamp}, ids=ids)

    def _drop_key(self, state: State) -> Callable[[], Any]:
        ids = self._some(state, 20)
        for number in ids:
            state[number].payload.pop("seen", None)
        return lambda: self.client.points.delete_payload(COLLECTION, ["seen"], ids=ids)

    def _vectors(self, state: State) -> Callable[[], Any]:
        ids = self._some(state, 20)
        self._stamp += 1
        for number in ids:
            state[number].stamps["a"] = self._stamp
        points = [PointVectors(number, {"a": vector("a", number, self._stamp)}) for number in ids]
        return lambda: self.client.points.update_vectors(COLLECTION, points)

    def _drop_vectors(self, state: State) -> Callable[[], Any]:
        ids = self._some(state, 10)
        for number in ids:
            state[number].stamps.pop("b", None)
        return lambda: self.client.points.delete_vectors(COLLECTION, ["b"], ids=ids)

    def _conditional(self, state: State) -> Callable[[], Any]:
        """Replaces those of some points whose `n` is even."""
        ids = self._some(state, 20)
        changed = [number for number in ids if state[number].payload["n"] % 2 == 0]
        before = {number: state[number] for number in ids}
        points = self._stamped(ids, state)
        state.update({number: held for number, held in before.items() if number not in changed})
        even = Field("n").any_of([0, 2, 4, 6, 8])
        return lambda: self.client.points.upsert(COLLECTION, points, mode=UpsertMode.UPDATE_ONLY, condition=even)

    def _batch(self, state: State) -> Callable[[], Any]:
        points = self._stamped(self._some(state, 10), state)
        ids = [point.id for point in points]
        for number in ids[1:]:
            state[int(str(number))].payload["mark"] = 1
        gone = int(str(ids[0]))
        del state[gone]
        operations: list[WriteOperation] = [
            Upsert(points),
            SetPayload(ids=ids, payload={"mark": 1}),
            DeletePayload(ids=ids[:1], keys=["text"]),
            DeletePoints(ids=[gone]),
        ]
        return lambda: self.client.points.update_batch(COLLECTION, operations)
