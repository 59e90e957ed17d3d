"""The inverted index of a sparse space in a file: read instead of making it, and written when that is worth it."""

import logging
from functools import cache, partial
from pathlib import Path

import numpy as np

from storage.budget import Budget
from storage.derived import Derived, fingerprint, is_worth_keeping
from storage.index import Compact, SparseChange, SparseIndex
from storage.mvcc import Snapshot

log = logging.getLogger(__name__)

_CODE = ("vectors/sparse.py", "index/inverted.py", "index/row_versions.py", "search/stored_sparse.py")

KIND = "sparse"

MOST_CHANGED = 0.5
"""Share of the vectors beyond which the index is made anew instead of brought up to date."""


@cache
def version() -> str:
    """Changes with the code that makes the index."""
    return fingerprint(Path(__file__).parents[1], _CODE)


def open_sparse(snapshot: Snapshot, space: str, budget: Budget) -> SparseIndex:
    """The index as of the snapshot's commit: of its file and what changed since, else of all vectors.

    Raises DeadlineExceeded or Cancelled.
    """
    index = _stored(snapshot, space)
    if index is None:
        index = SparseIndex.build(snapshot.bodies(space).scan(), snapshot.seq, budget)
        snapshot.derived.outdated()
    return index


def copy_worth_keeping(snapshot: Snapshot, space: str, index: SparseIndex) -> Derived | None:
    """What the file of the index should be, when it is missing or far behind. Requires: nobody changes it meanwhile."""
    seq = index.versions.seq
    if not is_worth_keeping(snapshot, KIND, _key(snapshot, space), seq, len(index.versions)):
        return None
    return Derived(seq, version(), {}, index.compact()._asdict())


def write_sparse(snapshot: Snapshot, space: str, data: Derived) -> None:
    """Replaces the file of the index."""
    snapshot.derived.write(KIND, _key(snapshot, space), data)


def is_kept(snapshot: Snapshot, space: str) -> bool:
    """Whether there is a file, since the space was searched lately."""
    key = _key(snapshot, space)
    if snapshot.derived.is_unused(KIND, key):
        snapshot.derived.remove(KIND, key)
    return snapshot.derived.has(KIND, key)


def drop_others(snapshot: Snapshot) -> None:
    """Removes the files of spaces that were dropped."""
    snapshot.derived.keep_only(KIND, [str(space.uid) for space in snapshot.schema.sparse.values()])


def note_use(snapshot: Snapshot, space: str) -> None:
    """Notes that a request searched the space."""
    snapshot.derived.use(KIND, _key(snapshot, space))


def _stored(snapshot: Snapshot, space: str) -> SparseIndex | None:
    stored = snapshot.derived.read(KIND, _key(snapshot, space), version())
    if stored is None:
        return None
    try:
        index = SparseIndex.restore(stored.seq, Compact(**stored.arrays))
    except (ValueError, TypeError) as error:
        log.warning("the file of the index of space %r cannot be used and is made anew: %r", space, error)
        return None
    if stored.seq == snapshot.seq:
        return index
    slots = stored.arrays["slots"]
    changed = snapshot.catch_up(stored.seq, partial(np.sort, slots)) if stored.seq < snapshot.seq else None
    if changed is None or len(changed) > MOST_CHANGED * max(len(slots), snapshot.vector_count(space)):
        return None
    held = snapshot.bodies(space)
    bodies = ((slot, held.get(slot)) for slot in changed.tolist())
    changes = [SparseChange(slot, None if body is None else bytes(body)) for slot, body in bodies]
    index.jump(changes, snapshot.seq)
    return index


def _key(snapshot: Snapshot, space: str) -> str:
    return str(snapshot.schema.sparse[space].uid)
