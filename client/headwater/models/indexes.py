"""Indexes and records as a user sees them: spaces by payload property, points by another name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from headwater._display import PartList
from headwater.models.collections import Distance
from headwater.models.points import PointId, ScoredPoint, VectorLike


class IndexSource(StrEnum):
    """Who brings the vectors of an index: whoever writes them, or the server, by its embedder."""

    EXTERNAL = "external"
    MANAGED = "managed"


class ReadyPolicy(StrEnum):
    """When an external index is ready: while it has one vector, or while every record with the property has one."""

    FIRST_VECTOR = "first_vector"
    FULL_COVERAGE = "full_coverage"


class IndexStatus(StrEnum):
    """How far an index is. It can be searched in every state."""

    AWAITING_VECTORS = "awaiting_vectors"
    PENDING = "pending"
    INDEXING = "indexing"
    READY = "ready"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Index:
    """An index. `label` is its collection, `space` the name of its space, for `using`; `error` is why it failed."""

    id: str
    label: str
    property_name: str
    source_type: IndexSource
    similarity_function: Distance
    dimensions: int
    status: IndexStatus
    ready_policy: ReadyPolicy
    space: str
    embedder: str | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class IndexStats:
    """How many records an index covers: `total` should have a vector, `indexed` of them have one, as of commit `seq`.

    Those of an external index are all that have the property or a vector; of a managed one, all with text in it.
    """

    total: int
    indexed: int
    pending: int
    seq: int = 0
    index_id: str = ""

    @property
    def coverage(self) -> float:
        """The share that is indexed, 1 when nothing has to be."""
        return self.indexed / self.total if self.total else 1.0


@dataclass(frozen=True, slots=True)
class VectorsUpserted:
    """What became of `upsert_vectors`: records that have the vector now, items that were given, and how many of the
    records had that very vector already."""

    updated: int
    requested: int
    unchanged: int
    seq: int


@dataclass(frozen=True, slots=True)
class IndexHit:
    """A record that was found in the collection `label`."""

    label: str
    point: ScoredPoint

    @property
    def id(self) -> PointId:
        return self.point.id

    @property
    def score(self) -> float:
        return self.point.score

    @property
    def payload(self) -> dict[str, Any] | None:
        return self.point.payload

    data = payload


class IndexHits(PartList[IndexHit]):
    """The records that were found, best first, and how much the searched indexes cover (one for each label)."""

    __slots__ = ("stats",)

    def __init__(self, hits: Sequence[IndexHit], stats: Sequence[IndexStats]) -> None:
        super().__init__(hits)
        self.stats = tuple(stats)

    @property
    def coverage(self) -> float:
        """The share of records that the searched indexes cover together."""
        total = sum(stats.total for stats in self.stats)
        return sum(stats.indexed for stats in self.stats) / total if total else 1.0


@dataclass(frozen=True, slots=True, eq=False)
class PropertyVector:
    """A vector of a record that names its property; or its space, `using`, which then decides alone.

    As a dict: `{"propertyName", "vector", "similarityFunction", "using"}`.
    """

    property_name: str = ""
    vector: VectorLike | str = ()
    similarity_function: Distance | str | None = None
    using: str | None = None


@dataclass(frozen=True, slots=True)
class LabeledRecord:
    """A record: a point of the collection `label`, its payload as `data`."""

    id: PointId
    label: str
    data: dict[str, Any]


PropertyVectorLike = PropertyVector | Mapping[str, Any]
"""A PropertyVector, or the same as a dict with names in either case."""
