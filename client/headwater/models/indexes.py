"""Indexes and records as a user sees them. An index is a space for a payload property; a record is a point."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from headwater._display import PartList
from headwater.models.collections import Distance
from headwater.models.points import PointId, ScoredPoint, VectorLike


class IndexSource(StrEnum):
    """Who makes the vectors of an index. EXTERNAL: the caller writes them. MANAGED: the server, by its embedder."""

    EXTERNAL = "external"
    MANAGED = "managed"


class ReadyPolicy(StrEnum):
    """When an external index is ready: while it has a vector, or while every record with the property has one."""

    FIRST_VECTOR = "first_vector"
    FULL_COVERAGE = "full_coverage"


class IndexStatus(StrEnum):
    """The state of an index. It can be searched in every state."""

    AWAITING_VECTORS = "awaiting_vectors"
    PENDING = "pending"
    INDEXING = "indexing"
    READY = "ready"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Index:
    """An index. `label` is its collection; `space` names its space, for `using`; `error` says why it failed."""

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
    """How many records an index covers at commit `seq`: `total` should have a vector, and `indexed` of them have one.

    In an external index, records with the property or with a vector count; in a managed one, records with text in it.
    """

    total: int
    indexed: int
    pending: int
    seq: int = 0
    index_id: str = ""

    @property
    def coverage(self) -> float:
        """The share of records that is indexed, 0 to 1; 1 when `total` is 0."""
        return self.indexed / self.total if self.total else 1.0


@dataclass(frozen=True, slots=True)
class VectorsUpserted:
    """The result of `upsert_vectors`: how many records have their vector now, how many items were given, and how many
    of the records had the same vector before."""

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
    """The records that were found, best first. `stats` has the counts of the searched indexes, one per label."""

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
    """A vector of a record for a property, or for the space `using`. When `using` is given, it alone counts.

    As a dict: `{"propertyName", "vector", "similarityFunction", "using"}`.
    """

    property_name: str = ""
    vector: VectorLike | str = ()
    similarity_function: Distance | str | None = None
    using: str | None = None


@dataclass(frozen=True, slots=True)
class LabeledRecord:
    """A record: a point of the collection `label`. `data` is its payload."""

    id: PointId
    label: str
    data: dict[str, Any]


PropertyVectorLike = PropertyVector | Mapping[str, Any]
"""A PropertyVector, or the same as a dict with names in either case."""
