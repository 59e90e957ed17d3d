"""What a collection must hold and answer: a dict of points, the meaning of each write on it, and the comparison.

The scores here are sums in plain Python over float64 values, rounded once; nothing is shared with
`storage.vectors.distance`.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from storage.budget import UNLIMITED
from storage.collection import Collection
from storage.mvcc.snapshot import Snapshot
from storage.schema import Distance, PointId
from storage.search.dense import SpaceHits, SpaceSearch
from storage.search.snapshot_search import score_vectors, search_vectors
from storage.segments.slot_set import SlotSet
from storage.tables.reader import Reader
from storage.write.operations import (
    ByIds,
    BySlots,
    ChangePayload,
    DeletePoints,
    DeleteVectors,
    Operation,
    SpaceVectors,
    UpdateVectors,
    Upsert,
    WriteResult,
)
from tests.support.directories import CODEC

Vector = NDArray[np.float32]
Payload = dict[str, object]
FLOAT32_MAX = float(np.finfo(np.float32).max)


@dataclass
class Point:
    payload: Payload
    vectors: dict[str, Vector] = field(default_factory=dict)


Model = dict[PointId, Point]


@dataclass(frozen=True)
class FlagIs:
    """Selects the points whose payload has this flag; the model can do it, too."""

    value: bool

    def __call__(self, reader: Reader) -> NDArray[np.uint32]:
        return np.array([slot for slot, payload in reader.payloads() if payload.get("flag") == self.value], np.uint32)


class Missing(Exception):
    """The model's PointNotFound."""


def id_order(point_id: PointId) -> tuple[int, int, bytes]:
    return (0, point_id, b"") if isinstance(point_id, int) else (1, 0, point_id.encode())


def upsert(points: Sequence[tuple[PointId, Point]]) -> Upsert:
    return Upsert(
        ids=tuple(point_id for point_id, _ in points),
        payloads=tuple(CODEC.encode(point.payload) for _, point in points),
        vectors=_by_space([point.vectors for _, point in points]),
    )


def update_vectors(vectors: Sequence[tuple[PointId, Mapping[str, Vector]]]) -> UpdateVectors:
    return UpdateVectors(
        ids=tuple(point_id for point_id, _ in vectors), vectors=_by_space([given for _, given in vectors])
    )


def _by_space(points: Sequence[Mapping[str, Vector]]) -> dict[str, SpaceVectors]:
    out = {}
    for space in sorted({space for vectors in points for space in vectors}):
        positions = [position for position, vectors in enumerate(points) if space in vectors]
        matrix = np.stack([points[position][space] for position in positions])
        out[space] = SpaceVectors(np.array(positions, np.int64), matrix)
    return out


def write(collection: Collection, *operations: Operation) -> WriteResult:
    """Writes durably, all or nothing."""
    return collection.write(operations).result(timeout=60)


def applied(model: Model, operations: Iterable[Operation]) -> Model:
    """The model after the operations. Raises Missing."""
    after = {point_id: Point(point.payload, dict(point.vectors)) for point_id, point in model.items()}
    for operation in operations:
        _apply(after, operation)
    return after


def _apply(model: Model, operation: Operation) -> None:
    match operation:
        case Upsert():
            for position, point_id in enumerate(operation.ids):
                payload = CODEC.decode(operation.payloads[position])
                model[point_id] = Point(payload, _vectors_at(operation.vectors, position))
        case UpdateVectors():
            for position, point_id in enumerate(operation.ids):
                _get(model, point_id).vectors.update(_vectors_at(operation.vectors, position))
        case DeletePoints(selector=ByIds(ids)):
            for point_id in ids:
                model.pop(point_id, None)
        case DeletePoints(selector=selector):
            for point_id in _selected(model, selector):
                del model[point_id]
        case DeleteVectors():
            for point_id in _selected(model, operation.selector):
                for space in operation.spaces:
                    model[point_id].vectors.pop(space, None)
        case ChangePayload():
            for point_id in _selected(model, operation.selector):
                model[point_id].payload = operation.change(dict(model[point_id].payload))


def _vectors_at(vectors: Mapping[str, SpaceVectors], position: int) -> dict[str, Vector]:
    return {
        space: given.matrix[number]
        for space, given in vectors.items()
        for number, owner in enumerate(given.positions)
        if owner == position
    }


def _get(model: Model, point_id: PointId) -> Point:
    if point_id not in model:
        raise Missing(point_id)
    return model[point_id]


def _selected(model: Model, selector: ByIds | BySlots) -> list[PointId]:
    if isinstance(selector, ByIds):
        for point_id in selector.ids:
            _get(model, point_id)
        return list(dict.fromkeys(selector.ids))
    select = selector.select
    assert isinstance(select, FlagIs)
    return [point_id for point_id, point in model.items() if point.payload.get("flag") == select.value]


def score(distance: Distance, left: Vector, right: Vector) -> np.float32:
    """The score by definition."""
    a, b = [float(x) for x in left], [float(x) for x in right]
    dot = math.fsum(x * y for x, y in zip(a, b, strict=True))
    match distance:
        case Distance.DOT:
            exact = dot
        case Distance.COSINE:
            lengths = math.sqrt(math.fsum(x * x for x in a)) * math.sqrt(math.fsum(y * y for y in b))
            exact = max(-1.0, min(1.0, dot / lengths)) if lengths else 0.0
        case Distance.EUCLID:
            exact = math.sqrt(math.fsum((x - y) ** 2 for x, y in zip(a, b, strict=True)))
        case Distance.MANHATTAN:
            exact = math.fsum(abs(x - y) for x, y in zip(a, b, strict=True))
    return np.float32(max(-FLOAT32_MAX, min(FLOAT32_MAX, exact)) + 0.0)


def nearest(
    model: Model, space: str, distance: Distance, query: Vector, allowed: Iterable[PointId] | None = None
) -> list[tuple[PointId, np.float32]]:
    """All that may be found, best first."""
    ids = model if allowed is None else allowed
    found = [(key, score(distance, query, model[key].vectors[space])) for key in ids if space in model[key].vectors]
    sign = -1 if distance.higher_is_better else 1
    return sorted(found, key=lambda hit: (sign * hit[1], id_order(hit[0])))


def assert_holds(snapshot: Snapshot, model: Model, queries: Mapping[str, Sequence[Vector]]) -> None:
    """The snapshot holds exactly the model and finds in it what plain sums find."""
    slots = _assert_points(snapshot, model)
    for space, space_queries in queries.items():
        _assert_vectors(snapshot, model, space, slots)
        for query in space_queries:
            _assert_search(snapshot, model, space, slots, query)


def _assert_points(snapshot: Snapshot, model: Model) -> dict[PointId, int]:
    """Returns the slot of each point."""
    ids = sorted(model, key=id_order)
    records = list(snapshot.scan())
    assert [record.id for record in records] == ids
    assert snapshot.point_count == len(ids)
    assert [CODEC.decode(record.payload) for record in records] == [model[key].payload for key in ids]
    assert all(0 < record.version <= snapshot.seq for record in records)
    slots = {record.id: record.slot for record in records}
    asked = [*reversed(ids), 12345, "absent", "x" * 512]
    expected = [slots.get(point_id, -1) for point_id in asked]
    assert snapshot.slots_of(asked).tolist() == expected
    for position in range(0, len(ids), 3):
        assert [record.id for record in snapshot.scan(ids[position])] == ids[position:]
    ascending = np.sort(np.fromiter(slots.values(), np.uint32, len(slots)))
    assert snapshot.all_slots().tolist() == ascending.tolist()
    assert snapshot.records(ascending) == sorted(records, key=lambda record: record.slot)
    assert [slot for slot, _ in snapshot.payloads()] == ascending.tolist()
    assert dict(snapshot.payloads()) == {slots[key]: model[key].payload for key in ids}
    return slots


def _assert_vectors(snapshot: Snapshot, model: Model, space: str, slots: Mapping[PointId, int]) -> None:
    ids = list(slots)
    present, rows = snapshot.vectors(space, np.array([slots[key] for key in ids], np.uint32))
    assert present.tolist() == [space in model[key].vectors for key in ids]
    for number, key in enumerate(ids):
        if present[number]:
            assert rows[number].tobytes() == model[key].vectors[space].tobytes()
    with_vector = sorted(slots[key] for key in ids if space in model[key].vectors)
    assert snapshot.slots_with_vector(space).tolist() == with_vector


def _assert_search(snapshot: Snapshot, model: Model, space: str, slots: Mapping[PointId, int], query: Vector) -> None:
    distance = snapshot.schema.dense[space].distance
    every = nearest(model, space, distance, query)
    chosen = [key for key in model if slots[key] % 3 != 1]
    allowed = np.array(sorted(slots[key] for key in chosen), np.uint32)
    filtered = nearest(model, space, distance, query, chosen)

    def find(limit: int, *, restricted: bool = False, exact: bool = True, strategy: str = "auto") -> SpaceSearch:
        return SpaceSearch(
            space=space,
            vector=query,
            limit=limit,
            allowed=SlotSet(allowed) if restricted else None,
            exact=exact,
            filter_strategy=strategy,
        )

    exact = [find(1), find(3), find(1000), find(2, restricted=True), find(1000, restricted=True)]
    wanted = [every[:1], every[:3], every, filtered[:2], filtered]
    for hits, expected in zip(search_vectors(snapshot, exact, UNLIMITED), wanted, strict=True):
        assert_hits(snapshot, hits, expected)
    approximate = [find(2, exact=False), *(find(2, restricted=True, exact=False, strategy=s) for s in ("pre", "post"))]
    for hits, pool in zip(search_vectors(snapshot, approximate, UNLIMITED), [every, filtered, filtered], strict=True):
        assert_some_of(snapshot, hits, pool, 2)
    everything = snapshot.all_slots()
    assert_hits(snapshot, score_vectors(snapshot, space, everything[::-1], query, UNLIMITED), every)


def assert_hits(snapshot: Snapshot, hits: SpaceHits, expected: Sequence[tuple[PointId, np.float32]]) -> None:
    assert snapshot.point_ids(hits.slots) == [point_id for point_id, _ in expected]
    assert hits.scores.tobytes() == np.array([score for _, score in expected], np.float32).tobytes()


def assert_some_of(snapshot: Snapshot, hits: SpaceHits, pool: Sequence[tuple[PointId, np.float32]], limit: int) -> None:
    """An approximate answer: as many as there can be, with true scores, in the order of the exact answer."""
    assert len(hits.slots) == min(limit, len(pool))
    found = list(zip(snapshot.point_ids(hits.slots), hits.scores.tolist(), strict=True))
    places = {(point_id, float(score)): place for place, (point_id, score) in enumerate(pool)}
    assert [places[hit] for hit in found] == sorted(places[hit] for hit in found)
