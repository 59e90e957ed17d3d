"""The rows of slots in derived files, which opening reads instead of LMDB's tables.

They are written when a collection is closed, and believed by its next opening if LMDB is still at the transaction that
they name. After a kill they are of an older one, and the tables are read. How other derived files are kept is the
business of storage/derived; what the columns are for, that of segments/space.py.
"""

import logging

import lmdb
import numpy as np
from numpy.typing import NDArray

from storage.derived import Derived
from storage.errors import EngineError
from storage.mvcc.state import CollectionState
from storage.segments import NO_ROW, Space
from storage.tables import State, get_state

log = logging.getLogger(__name__)

KIND = "rows"
VERSION = "1"  # persisted: of what the columns mean
MIN_ROWS = 5_000
"""Rows of a space that are worth a file: fewer are read from the table within some milliseconds."""


def newest_transaction(env: lmdb.Environment) -> int:
    """LMDB's number of its newest commit."""
    number: int = env.info()["last_txnid"]
    return number


def stored_columns(
    core: CollectionState, uid: int, state: State, transaction: int
) -> tuple[NDArray[np.uint32], NDArray[np.int64]] | None:
    """Slots, ascending, and their rows in the space `uid`, when a file has them as of just this state."""
    if not core.derived.has(KIND, str(uid)):
        return None
    found = core.derived.read(KIND, str(uid), VERSION)
    if found is None or found.seq != state.seq or found.about.get("transaction") != transaction:
        core.derived.remove(KIND, str(uid))  # else a later transaction of the same number could believe it
        return None
    slots, rows = found.arrays.get("slots"), found.arrays.get("rows")
    if slots is None or rows is None or slots.shape != rows.shape or slots.ndim != 1:
        return None
    return slots.astype(np.uint32, copy=False), rows.astype(np.int64, copy=False)


def keep_columns(core: CollectionState) -> None:
    """Writes the files of all spaces that are worth one. Requires: nobody uses the collection any more."""
    try:
        with core.env.begin() as txn:
            left_at = get_state(txn, core.tables)
    except (lmdb.Error, EngineError) as error:
        log.warning("the rows of slots of %s are not kept: %s", core.path, error)
        return
    if left_at != core.view.state:  # a commit failed, and nobody knows how far it came
        return
    transaction = newest_transaction(core.env)
    kept = {space.schema.uid: space for space in core.spaces.values() if space.vector_count >= MIN_ROWS}
    core.derived.keep_only(KIND, {str(uid) for uid in kept})
    for uid, space in kept.items():
        if core.columns_of.get(uid) != transaction:
            core.derived.write(KIND, str(uid), _columns(space, left_at.seq, transaction))


def _columns(space: Space, seq: int, transaction: int) -> Derived:
    slots = np.flatnonzero(space.rows != NO_ROW).astype("<u4")
    rows = space.rows[slots].astype("<i8")
    return Derived(seq, VERSION, {"transaction": transaction}, {"slots": slots, "rows": rows})
