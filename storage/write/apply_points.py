"""Applies each kind of write to the tables and rows of a transaction. Requires: the write was validated.

An operation may raise before or after it changed something. The writer then undoes it to its savepoint, so nothing of
it stays.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple, assert_never

import numpy as np

from storage.errors import DimensionMismatch, PointNotFound, SpaceNotFound, StorageFull
from storage.schema import PointId
from storage.segments import NO_ROW
from storage.tables import (
    MAX_SLOT,
    decode_numbers,
    encode_id,
    encode_ids,
    encode_records,
    encode_rows,
    encode_slot,
    encode_slots,
    put_entries,
    record_parts,
)
from storage.write.apply_bodies import remove_bodies, set_bodies
from storage.write.conditional import permitted, rounds, writable
from storage.write.operations import (
    ByIds,
    ChangePayload,
    DeletePoints,
    DeleteVectors,
    Operation,
    Selector,
    SpaceBodies,
    SpaceVectors,
    UpdateVectors,
    Upsert,
    UpsertMode,
)
from storage.write.transaction import Transaction

_RECORDS_AT_ONCE = 64  # points that are written together, and held in memory until then


class Applied(NamedTuple):
    """How many points an operation changed, and how many it skipped because of its mode or condition."""

    affected: int
    skipped: int = 0


def apply(transaction: Transaction, operation: Operation) -> Applied:
    """Applies one operation."""
    match operation:
        case Upsert():
            return _upsert(transaction, operation)
        case UpdateVectors():
            return _update_vectors(transaction, operation)
        case DeletePoints():
            return _delete_points(transaction, operation)
        case DeleteVectors():
            return Applied(_delete_vectors(transaction, operation))
        case ChangePayload():
            return _change_payload(transaction, operation)
        case _:
            assert_never(operation)


def _upsert(transaction: Transaction, upsert: Upsert) -> Applied:
    _check_vectors(transaction, upsert)
    if upsert.mode is UpsertMode.UPSERT and upsert.condition is None:
        return Applied(_put_points(transaction, upsert, _last_of_each(upsert.ids)))
    affected = 0
    for positions in rounds(upsert.ids):
        affected += _put_points(transaction, upsert, writable(transaction, upsert, positions))
    return Applied(affected, len(upsert.ids) - affected)


def _put_points(transaction: Transaction, upsert: Upsert, winners: list[int]) -> int:
    """Writes the points at these positions, no id twice."""
    are_all = len(winners) == len(upsert.ids)
    keys = encode_ids(upsert.ids if are_all else [upsert.ids[position] for position in winners])
    known = transaction.ids.get_many(keys)
    slots = [slot if slot is not None else -1 for slot in known]
    fresh = [number for number, slot in enumerate(known) if slot is None]
    _give_slots(transaction, keys, slots, fresh)
    payloads = upsert.payloads if are_all else [upsert.payloads[position] for position in winners]
    _put_records(transaction, slots, keys, payloads)
    slot_of = dict(zip(winners, slots, strict=True))
    replaced = [slot for slot in known if slot is not None]
    for name in transaction.core.schema.dense:
        given = _set_vectors(transaction, name, upsert.vectors.get(name), slot_of, may_exist=bool(replaced))
        if replaced:
            _remove_vectors(transaction, name, [slot for slot in replaced if slot not in given])
    for name in transaction.core.schema.body_spaces:
        given = set_bodies(transaction, name, upsert.bodies.get(name), slot_of)
        if replaced:
            remove_bodies(transaction, name, [slot for slot in replaced if slot not in given])
    return len(winners)


def _last_of_each(ids: Sequence[PointId]) -> list[int]:
    """For each id the position of its last occurrence, ascending."""
    last = {point_id: position for position, point_id in enumerate(ids)}
    return sorted(last.values()) if len(last) < len(ids) else list(range(len(ids)))


def _give_slots(transaction: Transaction, keys: list[bytes], slots: list[int], fresh: list[int]) -> None:
    """Gives slots to the points `fresh`: enters them in `slots` and in the id table."""
    if transaction.next_slot + len(fresh) > MAX_SLOT:
        raise StorageFull("the collection has used all of its slots")
    for offset, number in enumerate(fresh):
        slots[number] = transaction.next_slot + offset
    transaction.next_slot += len(fresh)
    transaction.point_count += len(fresh)
    transaction.ids.put_many([keys[number] for number in fresh], [slots[number] for number in fresh])


def _put_records(
    transaction: Transaction, slots: Sequence[int], keys: Sequence[bytes], payloads: Sequence[bytes]
) -> None:
    records = encode_records(keys, transaction.seq, payloads)
    put_entries(transaction.txn, transaction.core.tables.points, encode_slots(slots), records)
    transaction.touched.extend(slots)
    ids = decode_numbers(keys)
    if ids is not None:
        transaction.written.append((np.array(slots, np.uint32), ids))


def _set_vectors(
    transaction: Transaction,
    space: str,
    vectors: SpaceVectors | None,
    slot_of: dict[int, int],
    *,
    may_exist: bool,
) -> set[int]:
    """Appends vectors as the current rows of their slots; `slot_of` maps their positions to slots. Returns these
    slots."""
    if vectors is None or len(vectors.positions) == 0:
        return set()
    positions = vectors.positions.tolist()
    chosen = [number for number, position in enumerate(positions) if position in slot_of]
    matrix = vectors.matrix if len(chosen) == len(positions) else vectors.matrix[chosen]
    slots = [slot_of[positions[number]] for number in chosen]
    changes = transaction.changes.rows(space)
    if may_exist:
        changes.killed.extend(transaction.current_rows(space, slots).values())
    rows = list(range(changes.next_row, changes.next_row + len(slots)))
    rows_bytes = np.ascontiguousarray(matrix, "<f4")
    table = transaction.rows_table(space)
    put_entries(transaction.txn, table, encode_slots(slots), encode_rows(changes.next_row, rows_bytes))
    changes.matrices.append(rows_bytes)
    changes.slots.extend(slots)
    changes.changed_slots.extend(slots)
    changes.changed_rows.extend(rows)
    return set(slots)


def _remove_vectors(transaction: Transaction, space: str, slots: Sequence[int]) -> set[int]:
    """Removes the vectors of `slots` in `space`; returns the slots that had one."""
    current = transaction.current_rows(space, slots) if slots else {}
    if current:
        table = transaction.rows_table(space)
        for slot in current:
            transaction.txn.delete(encode_slot(slot), db=table)
        changes = transaction.changes.rows(space)
        changes.killed.extend(current.values())
        changes.changed_slots.extend(current)
        changes.changed_rows.extend([NO_ROW] * len(current))
    return set(current)


def _update_vectors(transaction: Transaction, update: UpdateVectors) -> Applied:
    _check_vectors(transaction, update)
    slots = _slots_of_ids(transaction, update.ids)
    wanted = list(dict.fromkeys(slots))
    changed = set(permitted(transaction, update.condition, wanted))
    for name, vectors in update.vectors.items():
        _set_vectors(transaction, name, vectors, _last_positions(slots, vectors, changed), may_exist=True)
    for name, bodies in update.bodies.items():
        set_bodies(transaction, name, bodies, _last_positions(slots, bodies, changed))
    return Applied(_touch(transaction, sorted(changed)), len(wanted) - len(changed))


def _last_positions(slots: Sequence[int], vectors: SpaceVectors | SpaceBodies, changed: set[int]) -> dict[int, int]:
    """For each of the `changed` slots, the last position with a vector for it, as position -> slot."""
    last = {slots[position]: position for position in vectors.positions.tolist() if slots[position] in changed}
    return {position: slot for slot, position in last.items()}


def _delete_points(transaction: Transaction, delete: DeletePoints) -> Applied:
    if isinstance(delete.selector, ByIds):
        keys = encode_ids(list(dict.fromkeys(delete.selector.ids)))
        slots = [slot for slot in transaction.ids.get_many(keys) if slot is not None]
    else:
        slots = delete.selector.select(transaction.reader()).tolist()
    wanted = len(slots)
    # Sorted like the tables, so that fewer pages are copied.
    slots = sorted(permitted(transaction, delete.condition, slots))
    for space in transaction.core.schema.dense:
        _remove_vectors(transaction, space, slots)
    for space in transaction.core.schema.body_spaces:
        remove_bodies(transaction, space, slots)
    table = transaction.core.tables.points
    keys = []
    for slot in slots:
        value = transaction.txn.pop(encode_slot(slot), db=table)
        assert value is not None
        keys.append(bytes(record_parts(memoryview(value))[1]))
    for key in sorted(keys):
        transaction.ids.delete(key)
    transaction.touched.extend(slots)
    transaction.point_count -= len(slots)
    return Applied(len(slots), wanted - len(slots))


def _delete_vectors(transaction: Transaction, delete: DeleteVectors) -> int:
    _check_spaces(transaction, delete.spaces)
    slots = _select(transaction, delete.selector)
    had: set[int] = set()
    for space in dict.fromkeys(delete.spaces):
        remove = remove_bodies if space in transaction.core.schema.body_spaces else _remove_vectors
        had |= remove(transaction, space, slots)
    return _touch(transaction, sorted(had))


def _change_payload(transaction: Transaction, change: ChangePayload) -> Applied:
    codec = transaction.core.codec
    reader = transaction.reader()
    wanted = _select(transaction, change.selector)
    replaces = None if change.condition is None else change.condition.replaces

    def changed() -> Iterator[tuple[int, bytes, bytes]]:
        for slot in permitted(transaction, change.condition, wanted):
            record = reader.record(slot)
            new = change.change(codec.decode(record.payload))
            if replaces is None or replaces(codec.decode(record.payload), new):
                yield slot, encode_id(record.id), codec.encode(new)

    count = _put_some_at_a_time(transaction, changed())
    return Applied(count, len(wanted) - count)


def _put_some_at_a_time(transaction: Transaction, records: Iterator[tuple[int, bytes, bytes]]) -> int:
    """Writes slots, id keys and payloads, with few in memory at a time; returns how many there were."""
    count = 0
    while part := list(islice(records, _RECORDS_AT_ONCE)):
        slots, keys, payloads = zip(*part, strict=True)
        _put_records(transaction, slots, keys, payloads)
        count += len(part)
    return count


def _touch(transaction: Transaction, slots: Sequence[int]) -> int:
    """Gives points whose vectors changed the version of this commit."""
    reader = transaction.reader()
    records = map(reader.record, dict.fromkeys(slots))
    return _put_some_at_a_time(transaction, ((each.slot, encode_id(each.id), each.payload) for each in records))


def _select(transaction: Transaction, selector: Selector) -> list[int]:
    """Slots of the selected points, without repeats. Raises PointNotFound for missing ids."""
    if isinstance(selector, ByIds):
        return list(dict.fromkeys(_slots_of_ids(transaction, selector.ids)))
    slots: list[int] = selector.select(transaction.reader()).tolist()
    return slots


def _slots_of_ids(transaction: Transaction, ids: Sequence[PointId]) -> list[int]:
    found = transaction.ids.get_many(encode_ids(ids))
    missing = [point_id for point_id, slot in zip(ids, found, strict=True) if slot is None]
    if missing:
        raise PointNotFound(missing)
    return [slot for slot in found if slot is not None]


def _check_vectors(transaction: Transaction, write: Upsert | UpdateVectors) -> None:
    """Checks the vectors again: the schema may have changed since the write was validated."""
    schema = transaction.core.schema
    for known, given in ((schema.dense, write.vectors), (schema.body_spaces, write.bodies)):
        for name in given:
            if name not in known:
                raise SpaceNotFound(name, schema.names)
    for name, vectors in write.vectors.items():
        size = schema.dense[name].size
        if vectors.matrix.shape[1] != size:
            raise DimensionMismatch(f'vectors["{name}"]', expected=size, actual=vectors.matrix.shape[1])


def _check_spaces(transaction: Transaction, spaces: Iterable[str]) -> None:
    known = transaction.core.schema.names
    for name in spaces:
        if name not in known:
            raise SpaceNotFound(name, known)
