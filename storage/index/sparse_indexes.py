"""The indexes of sparse spaces in memory: the first search makes one, and later searches bring it up to date.

An index is changed in place and answers for several commits, so a search takes a view of it while nobody changes it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from storage.budget import Budget
from storage.derived import Copy, Keeper
from storage.index.inverted import SparseIndex, SparseView
from storage.index.sparse_log import SparseLog


class SparseIndexes:
    """The newest index of each space by uid. Safe for many threads. Their memory has no bound."""

    def __init__(self, logs: Mapping[int, SparseLog]) -> None:
        self._logs = logs
        self._keeper: Keeper[int, SparseIndex] = Keeper(states=0)

    def view(self, uid: int, seq: int, build: Callable[[], SparseIndex], budget: Budget) -> SparseView:
        """A view that is good for commit `seq`, which the caller reads; `build` makes an index as of it.

        Raises DeadlineExceeded or Cancelled, also while another thread makes the index.
        """
        with self._keeper.held(uid, _SparseMaker(seq, budget, self._logs, build)) as index:
            return index.view()

    def has(self, uid: int) -> bool:
        """Whether an index of the space is in memory."""
        return self._keeper.known(uid) is not None

    def copied(self, uid: int, copy: Callable[[SparseIndex], Copy]) -> Copy | None:
        """What `copy` takes of the newest index, which nobody changes meanwhile; None when there is none in memory."""
        return self._keeper.copied(uid, copy)

    def forget(self, uid: int) -> None:
        """The space is gone."""
        self._keeper.forget(lambda key: key == uid)

    def clear(self) -> None:
        """Lets go of all memory."""
        self._keeper.forget(lambda key: True)


@dataclass(frozen=True, slots=True)
class _SparseMaker:
    """Has an index follow the log of its space. Its file is read by `build`, as is all that the log forgot."""

    seq: int
    budget: Budget
    logs: Mapping[int, SparseLog]
    build: Callable[[], SparseIndex]

    def stored(self, key: int) -> None:
        return None

    def updated(self, key: int, value: SparseIndex) -> SparseIndex | None:
        if value.seq < self.seq:
            commits = self.logs[key].between(value.seq, self.seq)
            if commits is None:
                return None
            value.advance(commits, self.seq, self.budget)
        return value if value.versions.valid_from <= self.seq else None

    def completed(self, values: Mapping[int, SparseIndex | None]) -> Iterator[tuple[int, SparseIndex]]:
        for uid, index in values.items():
            if index is None:
                yield uid, self.build()
