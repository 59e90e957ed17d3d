"""Index policies: what a space that indexes a payload property is for. Stored with the space; the server acts on
them."""

from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any


class IndexSource(Enum):
    """Who makes the vectors. Persisted by value: do not rename."""

    EXTERNAL = "external"
    MANAGED = "managed"


class ReadyPolicy(Enum):
    """When an index is ready whose vectors clients send. Persisted by value: do not rename."""

    FIRST_VECTOR = "first_vector"
    FULL_COVERAGE = "full_coverage"


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexPolicy:
    """Says that a space holds the vectors of the payload `property` (a path), and where they come from.

    In a managed index, a point has the vector of its text if its slot is below `next_slot` and it did not change after
    commit `seq`. The stored numbers may lag behind the work done, but never run ahead of it.
    """

    property: str
    source: IndexSource
    ready: ReadyPolicy = ReadyPolicy.FIRST_VECTOR
    seq: int = 0
    next_slot: int = 0

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "source": self.source.value, "ready": self.ready.value}
