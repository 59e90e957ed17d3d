"""Where a run gets its points. The executor, explanations and groups know a collection only through a source.

Everything above a source works the same with one snapshot or several: fusion, limits, thresholds, rescoring, and
explanations. LocalSource is the source over one snapshot.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from planner.execute.demand import Demand, LeafAnswer
from planner.execute.fetching import Fetched
from planner.payload_index import Column
from planner.query import PayloadSelector, VectorsSelector
from planner.rank import Place, Ranker, Ranking, SortKey, Statistics
from planner.resolve import CheckedFilter
from planner.text import Highlight, Highlighted
from storage.budget import Budget
from storage.schema import CollectionSchema, PointId

Slots = NDArray[np.uint32]
"""Slots of points. They have a meaning only for the source that gave them."""


class Points(Protocol):
    """The points of one commit: their ids and their vectors. A Snapshot is one."""

    @property
    def seq(self) -> int:
        """The commit that is read."""

    @property
    def generation(self) -> int:
        """The generation of the indexes that are used; see State."""

    @property
    def schema(self) -> CollectionSchema: ...

    @property
    def point_count(self) -> int: ...

    def slots_of(self, ids: Sequence[PointId]) -> NDArray[np.int64]:
        """The slot of each id; -1 where there is no such point."""

    def point_ids(self, slots: Slots) -> list[PointId]: ...

    def id_keys(self, slots: Slots) -> list[bytes]:
        """Ids as bytes, which sort as ids do."""

    def vectors(self, space: str, slots: Slots) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
        """For `slots` (n,): a mask (n,) of those with a vector in a dense space, and the vectors (n, size), zeros for
        the others.
        """


class Inspection(Protocol):
    """Facts for explanations, besides what happened in a run."""

    def vector_count(self, space: str) -> int:
        """How many points have a vector in a space."""

    def known_count(self, filter: CheckedFilter) -> int | None:
        """How many points match, if this is known without reading payloads; else None."""

    def foresee(self, filter: CheckedFilter) -> str:
        """What would test the conditions of a filter, if that is known; else an empty text."""

    def places(self, demand: Demand, wanted: Sequence[int]) -> Mapping[int, Place]:
        """The place of each slot in `wanted` that a leaf ranks, among all that it could find, computed exactly.

        Requires: the slots match the filters of the demand.
        """

    def matches(self, filter: CheckedFilter, slot: int) -> bool:
        """Whether the point in `slot` matches the filter."""

    def has_vector(self, space: str, slot: int) -> bool: ...

    def is_indexed(self, space: str, slot: int) -> bool:
        """Whether an index covers the vector of a point in a dense space. Requires: the point has one."""


class Values(Protocol):
    """The values at payload paths, for grouping points."""

    def column(self, path: str, among: Slots | None) -> Column:
        """The values of all points, or of the points in `among`."""

    def are_known(self, path: str) -> bool:
        """Whether an index has these values already."""

    def are_indexed(self, path: str) -> bool:
        """Whether an index has these values, or can have them."""

    def matching(self, filter: CheckedFilter) -> Slots:
        """The points that match, ascending."""

    def remember(self, filter: CheckedFilter, slots: Slots) -> None:
        """Remembers that exactly these points (ascending) match a filter."""


class Source(Protocol):
    """One commit of a collection while a run reads it. Methods that read may raise DeadlineExceeded and Cancelled."""

    @property
    def budget(self) -> Budget: ...

    @property
    def points(self) -> Points: ...

    @property
    def inspection(self) -> Inspection: ...

    @property
    def values(self) -> Values: ...

    def statistics(self, rankers: Collection[Ranker], *, in_full: bool = False) -> Mapping[Ranker, Statistics]:
        """The statistics over all points, for those ways to rank that need them. Those of several sources add up.

        `in_full` adds numbers that only explanations show.
        """

    def answer(
        self, demands: Collection[Demand], statistics: Mapping[Ranker, Statistics]
    ) -> Mapping[Demand, LeafAnswer]:
        """An answer for every demand; searches run together. `statistics` are those of the whole collection.

        Raises ScanTooLarge.
        """

    def rank(
        self, ranker: Ranker, slots: Slots, lists: Sequence[Ranking], statistics: Mapping[Ranker, Statistics]
    ) -> Ranking:
        """Those of `slots`, ascending, that can be ranked. `slots` are the union of `lists` without excluded points."""

    def sort_keys(self, ranker: Ranker, ranking: Ranking) -> list[SortKey]:
        """The sort key of each row of a ranking that `answer` or `rank` made by this way to rank.

        Scores are not enough where the way gives none: rows of several sources are sorted by these.
        """

    def gate(self, filter: CheckedFilter, slots: Slots) -> NDArray[np.bool_]:
        """Which of `slots` (n,) match."""

    def conditions(self, filters: Sequence[CheckedFilter]) -> str:
        """What tested the conditions of filters in this run, as text."""

    def fetch(self, slots: Slots, payload: PayloadSelector | None, vectors: VectorsSelector | None) -> list[Fetched]:
        """The selected parts of the points in `slots`, in their order. Requires: checked selectors.

        Raises ReplyTooLarge, RequestTooLarge.
        """

    def highlights(self, slots: Slots, asked: Sequence[Highlighted]) -> list[tuple[Highlight, ...]]:
        """For each of `slots`, the matched fragments of its texts."""
