"""Index policies: what a space that serves a payload property is for, kept with the space. The server acts on them."""

from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any


class IndexSource(Enum):
    """Who brings the vectors. Persisted by value: do not rename."""

    EXTERNAL = "external"
    MANAGED = "managed"


class ReadyPolicy(Enum):
    """When an index with vectors from outside is ready. Persisted by value: do not rename."""

    FIRST_VECTOR = "first_vector"
    FULL_COVERAGE = "full_coverage"


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexPolicy:
    """That a space holds vectors of the payload `property` (a path), and where they come from.

    Of a managed one: every point in a slot below `next_slot` that did not change after commit `seq` has the vector of
    its text. What is stored may lag behind what was done, never run ahead of it.
    """

    property: str
    source: IndexSource
    ready: ReadyPolicy = ReadyPolicy.FIRST_VECTOR
    seq: int = 0
    next_slot: int = 0

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "source": self.source.value, "ready": self.ready.value}
