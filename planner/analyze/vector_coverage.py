"""Coverage: how many of the points that should have a vector in a space have a current one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.filtering import matches, matching_slots
from planner.query import Exists, Filter, IsEmpty, TextOperator, TextTest
from planner.resolve import CheckedFilter, derived_filter
from storage.budget import Budget
from storage.tables import Reader


@dataclass(frozen=True, slots=True)
class Coverage:
    """`total` points should have a vector, `indexed` of them have a current one, as of commit `seq`."""

    total: int
    indexed: int
    seq: int

    @property
    def pending(self) -> int:
        return self.total - self.indexed


def has_property(path: str) -> CheckedFilter:
    """Matches points with a value at `path` that is not null, [] or ""."""
    return derived_filter(Filter(must=(Exists(path),), must_not=(IsEmpty(path),)))


def has_text(path: str) -> CheckedFilter:
    """Matches points with a string at `path`, or in an array there, that is not only white space."""
    return derived_filter(Filter(must=(TextTest(path, TextOperator.REGEX, r"[^\s\v\x1c-\x1f\x85\p{Z}]"),)))


@dataclass(frozen=True, slots=True)
class Matching:
    """The slots (uint32, ascending) of the points that match a filter at commit `seq`."""

    seq: int
    slots: NDArray[np.uint32]


def matching_at(reader: Reader, filter: CheckedFilter, before: Matching | None, budget: Budget) -> Matching:
    """The points that match at the commit of `reader`: those of `before`, an older one, but for what changed since.

    Raises DeadlineExceeded, Cancelled.
    """
    changed = None if before is None or before.seq > reader.seq else reader.changed_since(before.seq)
    if before is None or changed is None:
        return Matching(reader.seq, matching_slots(reader, filter, budget))
    if not len(changed):
        return Matching(reader.seq, before.slots)
    there = np.array([record.slot for record in reader.existing(changed)], np.uint32)
    now = there[matches(reader, filter, there, budget=budget)]
    kept = np.setdiff1d(before.slots, changed, assume_unique=True)
    return Matching(reader.seq, np.union1d(kept, now).astype(np.uint32))


def coverage(
    reader: Reader, space: str, wanted: NDArray[np.uint32], stale: NDArray[np.uint32] | None = None
) -> Coverage:
    """How many points should have a vector in `space`, and how many have one. `wanted` are slots, ascending.

    Without `stale`, points that have a vector count as well. With `stale`, only the wanted ones do; `stale` are slots
    of points whose vector, if any, is out of date.
    """
    present = reader.slots_with_vector(space)
    if stale is None:
        return Coverage(len(np.union1d(wanted, present)), len(present), reader.seq)
    indexed = np.setdiff1d(np.intersect1d(wanted, present, assume_unique=True), stale)
    return Coverage(len(wanted), len(indexed), reader.seq)
