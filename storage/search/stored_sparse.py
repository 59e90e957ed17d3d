"""The file of a sparse space's inverted index: read instead of building the index, and written when that is worth
it."""

from functools import cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from storage.budget import Budget
from storage.derived import Derived, few_changes, fingerprint, is_worth_keeping, read_decoded
from storage.index import Compact, SparseChange, SparseIndex
from storage.mvcc import Snapshot

_CODE = ("vectors/sparse.py", "index/inverted.py", "index/row_versions.py", "search/stored_sparse.py")

KIND = "sparse"


@cache
def version() -> str:
    """A version that changes with the code that makes the index."""
    return fingerprint(Path(__file__).parents[1], _CODE)


def open_sparse(snapshot: Snapshot, space: str, budget: Budget) -> SparseIndex:
    """The index as of the snapshot's commit: from its file and the changes since, else from all vectors.

    Raises DeadlineExceeded or Cancelled.
    """
    index = _stored(snapshot, space)
    if index is None:
        index = SparseIndex.build(snapshot.bodies(space).scan(), snapshot.seq, budget)
        snapshot.derived.outdated()
    return index


def copy_worth_keeping(snapshot: Snapshot, space: str, index: SparseIndex) -> Derived | None:
    """New content for the index's file, if that is missing or far behind; else None. Requires: nobody changes the
    index."""
    seq = index.versions.seq
    if not is_worth_keeping(snapshot, KIND, _key(snapshot, space), seq, len(index.versions)):
        return None
    return Derived(seq, version(), {}, index.compact()._asdict())


def write_sparse(snapshot: Snapshot, space: str, data: Derived) -> None:
    """Replaces the file of the index."""
    snapshot.derived.write(KIND, _key(snapshot, space), data)


def is_kept(snapshot: Snapshot, space: str) -> bool:
    """Whether the index has a file. Removes the file if the space was not searched for long."""
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
    """The index of the file and what changed since; None when there is no file, or making it anew is less work."""
    index = read_decoded(snapshot.derived, KIND, _key(snapshot, space), version(), _decoded)
    if index is None or index.seq == snapshot.seq:
        return index
    if index.seq > snapshot.seq:
        return None
    changed = few_changes(snapshot, index.seq, partial(_held_slots, index), snapshot.vector_count(space))
    if changed is None:
        return None
    held = snapshot.bodies(space)
    bodies = ((slot, held.get(slot)) for slot in changed.tolist())
    changes = [SparseChange(slot, None if body is None else bytes(body)) for slot, body in bodies]
    index.jump(changes, snapshot.seq)
    return index


def _held_slots(index: SparseIndex) -> NDArray[np.uint32]:
    """Slots of the points that it has, ascending. Requires: it is as it was restored."""
    return np.sort(index.versions.view().slots)


def _decoded(stored: Derived) -> SparseIndex:
    """Raises ValueError, LookupError or TypeError when it is no sparse index."""
    return SparseIndex.restore(stored.seq, Compact(**stored.arrays))


def _key(snapshot: Snapshot, space: str) -> str:
    return str(snapshot.schema.sparse[space].uid)
