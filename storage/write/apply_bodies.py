"""Applies writes of sparse vectors, and of multi-vectors and the rows of their tokens."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from storage.errors import DimensionMismatch, StorageFull
from storage.index import SparseChange
from storage.segments import NO_ROW
from storage.tables import MAX_SLOT, decode_vector, encode_rows, encode_slot, encode_slots, encode_vector, put_entries
from storage.vectors import decode_tokens, encode_tokens
from storage.write.operations import SpaceBodies
from storage.write.transaction import Transaction


def set_bodies(
    transaction: Transaction, space: str, vectors: SpaceBodies | None, slot_of: Mapping[int, int]
) -> set[int]:
    """Stores vectors in `space`; `slot_of` maps their positions to slots. Returns these slots."""
    if vectors is None:
        return set()
    chosen = {
        slot_of[position]: body
        for position, body in zip(vectors.positions.tolist(), vectors.bodies, strict=True)
        if position in slot_of
    }
    if space in transaction.core.schema.multi:
        _remove_tokens(transaction, space, list(chosen))
        stored = {slot: _append_tokens(transaction, space, slot, body) for slot, body in chosen.items()}
    else:
        stored = chosen
        transaction.changes.sparse(space).extend(SparseChange(slot, body) for slot, body in chosen.items())
    bodies = list(map(encode_vector, stored.values()))
    put_entries(transaction.txn, transaction.bodies_table(space), encode_slots(list(stored)), bodies)
    return set(chosen)


def remove_bodies(transaction: Transaction, space: str, slots: Sequence[int]) -> set[int]:
    """Removes the vectors of `slots`; returns the slots that had one."""
    is_multi = space in transaction.core.schema.multi
    if is_multi:
        _remove_tokens(transaction, space, slots)
    table = transaction.bodies_table(space)
    had = {slot for slot in slots if transaction.txn.delete(encode_slot(slot), db=table)}
    if had and not is_multi:
        transaction.changes.sparse(space).extend(SparseChange(slot, None) for slot in slots if slot in had)
    return had


def _append_tokens(transaction: Transaction, space: str, slot: int, body: bytes) -> bytes:
    """Appends the rows of a multi-vector; returns the body that names them. A row identifies its token."""
    rows = transaction.core.spaces[space]
    row_bytes = 4 * rows.schema.size
    if len(body) % row_bytes:  # the schema changed since the write was validated
        raise DimensionMismatch(f'vectors["{space}"]', expected=rows.schema.size, actual=len(body) // 4)
    matrix: NDArray[np.float32] = np.frombuffer(body, "<f4").reshape(-1, rows.schema.size)
    changes = transaction.changes.rows(space)
    first, tokens = changes.next_row, list(range(changes.next_row, changes.next_row + len(matrix)))
    if first + len(matrix) > MAX_SLOT:
        raise StorageFull(f"the space {space!r} has used up its rows")
    put_entries(transaction.txn, transaction.rows_table(space), encode_slots(tokens), encode_rows(first, matrix))
    changes.matrices.append(matrix)
    for column in (changes.slots, changes.changed_slots, changes.changed_rows):
        column.extend(tokens)
    uid = rows.schema.uid
    # A failed commit leaves entries after the rows that readers know. The next commit overwrites them.
    transaction.core.token_owners[uid].put(first, np.full(len(matrix), slot, np.uint32))
    return encode_tokens(first, len(matrix))


def _remove_tokens(transaction: Transaction, space: str, slots: Sequence[int]) -> None:
    """Removes the rows of the multi-vectors of `slots`."""
    bodies, rows = transaction.bodies_table(space), transaction.rows_table(space)
    with transaction.txn.cursor(bodies) as cursor:
        found = [bytes(value) for _, value in cursor.getmulti(encode_slots(slots))]
    for value in found:
        first, count = decode_tokens(decode_vector(memoryview(value)))
        tokens = range(first, first + count)
        for token in tokens:
            transaction.txn.delete(encode_slot(token), db=rows)
        changes = transaction.changes.rows(space)
        changes.killed.extend(tokens)
        changes.changed_slots.extend(tokens)
        changes.changed_rows.extend([NO_ROW] * count)
