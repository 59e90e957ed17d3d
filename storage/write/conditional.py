"""Decides which points a write with a mode or a condition may change, as its transaction sees them. Changes none."""

from collections.abc import Sequence

import numpy as np

from storage.schema import PointId
from storage.tables import encode_ids
from storage.write.operations import StoredCondition, Upsert, UpsertMode
from storage.write.transaction import Transaction


def permitted(transaction: Transaction, condition: StoredCondition | None, slots: list[int]) -> list[int]:
    """Those of `slots` whose points fulfil `holds`. Requires: slots differ. The caller checks `replaces`."""
    if condition is None or condition.holds is None or not slots:
        return slots
    given = np.array(slots, np.uint32)
    chosen: list[int] = given[condition.holds(transaction.reader(), given)].tolist()
    return chosen


def writable(transaction: Transaction, upsert: Upsert, positions: list[int]) -> list[int]:
    """Those of the positions, no id twice, that the upsert's mode and condition let through, ascending."""
    slots = transaction.ids.get_many(encode_ids([upsert.ids[position] for position in positions]))
    absent = [position for position, slot in zip(positions, slots, strict=True) if slot is None]
    existing = {slot: position for position, slot in zip(positions, slots, strict=True) if slot is not None}
    match upsert.mode:
        case UpsertMode.INSERT_ONLY:
            return absent
        case UpsertMode.UPDATE_ONLY:
            return _replaceable(transaction, upsert, existing)
        case UpsertMode.UPSERT:
            return sorted([*absent, *_replaceable(transaction, upsert, existing)])


def rounds(ids: Sequence[PointId]) -> list[list[int]]:
    """Divides positions into groups without repeated ids. The n-th occurrence of an id is in group n."""
    groups: list[list[int]] = []
    seen: dict[PointId, int] = {}
    for position, point_id in enumerate(ids):
        occurrence = seen.get(point_id, 0)
        seen[point_id] = occurrence + 1
        if occurrence == len(groups):
            groups.append([])
        groups[occurrence].append(position)
    return groups


def _replaceable(transaction: Transaction, upsert: Upsert, existing: dict[int, int]) -> list[int]:
    """Positions, ascending, of the existing points that the condition allows the upsert to replace."""
    condition = upsert.condition
    slots = permitted(transaction, condition, list(existing))
    if condition is not None and condition.replaces is not None:
        replaces, reader, decode = condition.replaces, transaction.reader(), transaction.core.codec.decode
        slots = [
            slot
            for slot in slots
            if replaces(decode(reader.record(slot).payload), decode(upsert.payloads[existing[slot]]))
        ]
    return sorted(existing[slot] for slot in slots)
