"""The tokens of one multi-vector space as of one commit: whose they are, in which rows, and their vectors."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from storage.index import Growing
from storage.mvcc.space_rows import SpaceRows
from storage.tables import BodyTable
from storage.vectors import decode_tokens


class Tokens(NamedTuple):
    """The tokens of the multi-vector of `slots[i]` are the `counts[i]` rows from `first[i]`."""

    slots: NDArray[np.uint32]
    first: NDArray[np.int64]
    counts: NDArray[np.int64]

    @property
    def starts(self) -> NDArray[np.int64]:
        """Where each point's begin in `rows`."""
        return np.cumsum(self.counts) - self.counts

    @property
    def rows(self) -> NDArray[np.int64]:
        """All rows, one point's after the other's."""
        return np.repeat(self.first - self.starts, self.counts) + np.arange(int(self.counts.sum()))

    def take(self, kept: "NDArray[np.bool_] | slice") -> "Tokens":
        return Tokens(self.slots[kept], self.first[kept], self.counts[kept])


class SpaceTokens:
    """Lent by a snapshot, until it is closed."""

    __slots__ = ("_bodies", "_owners", "_rows")

    def __init__(self, bodies: BodyTable, rows: SpaceRows, owners: Growing[np.uint32]) -> None:
        self._bodies = bodies
        self._rows = rows
        self._owners = owners

    def of(self, slots: NDArray[np.uint32] | None) -> Tokens:
        """Which rows are the tokens of those of `slots` (None: all) that have a multi-vector, in slot order of all.

        Raises CorruptStore.
        """
        if slots is None:
            found = list(self._bodies.scan())
        else:
            bodies = ((slot, self._bodies.get(slot)) for slot in slots.tolist())
            found = [(slot, body) for slot, body in bodies if body is not None]
        ranges = np.array([decode_tokens(body) for _, body in found], np.int64).reshape(-1, 2)
        return Tokens(np.array([slot for slot, _ in found], np.uint32), ranges[:, 0], ranges[:, 1])

    def vectors(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """The tokens in `rows` (n, size), as they were written. Raises CorruptStore for one without its checksum."""
        return self._rows.tokens(rows)

    @property
    def owners(self) -> NDArray[np.uint32]:
        """The slot whose token each row is, as of whenever it was written."""
        return self._owners.view()
