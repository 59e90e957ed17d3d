"""Points as a user sees them, written and read, and the selectors over their parts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self
from uuid import UUID

from numpy.typing import NDArray

from headwater.models.text import Highlight
from headwater.models.vectors import MultiVectorLike, SparseVector, SparseVectorLike

PointId = int | str
"""As the server returns it: an unsigned 64-bit number or a string of 1 to 512 UTF-8 bytes."""
PointIdLike = int | str | UUID
"""As it may be given: a UUID is sent as its string."""
Payload = Mapping[str, Any]
"""Values by key: None, bool, int (64 bits), float, str, lists and dicts of these; numpy scalars are taken too."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text in the place of a vector: the server makes the vector, with the embedder of the space."""

    text: str


VectorLike = Sequence[float] | NDArray[Any] | Text | SparseVectorLike | MultiVectorLike
"""One vector, dense, sparse or multi, or a text of which the server makes it. float32 arrays are sent as they are."""
VectorsLike = (
    Sequence[float] | NDArray[Any] | Text | SparseVector | MultiVectorLike | str | Mapping[str, VectorLike | str]
)
"""A vector of the unnamed space, or vectors by space name; the unnamed space is "". A string is a Text here, and a dict
is always one of spaces."""


@dataclass(frozen=True, slots=True, eq=False)
class PointStruct:
    """A point to write. It may lack any space, and all of them."""

    id: PointIdLike
    vector: VectorsLike = field(default_factory=dict)
    payload: Payload | None = None


@dataclass(frozen=True, slots=True, eq=False)
class PointVectors:
    """New vectors of an existing point; its others stay."""

    id: PointIdLike
    vector: VectorsLike


@dataclass(frozen=True, slots=True)
class Record:
    """A stored point. `payload` is None when it was not asked for.

    `vectors` holds by space name (the unnamed space is "") float32 arrays (size,), or a SparseVector, or of a
    multi-vector (n, size), as they were written; it is empty when not asked for, and not compared by ==. `version`
    is the commit sequence of the last write that changed the point.
    """

    id: PointId
    payload: dict[str, Any] | None = None
    vectors: dict[str, Any] = field(default_factory=dict, compare=False)
    version: int = 0


class Page(tuple[list[Record], PointId | None]):
    """A page of a scroll: `points, next_offset = page`; the offset is None on the last page.

    `cursor` names the commit that further pages are read from, when one was asked for and there are any. `seq` is the
    commit sequence that was read.
    """

    cursor: str | None
    seq: int

    def __new__(
        cls, points: list[Record], next_offset: PointId | None, *, cursor: str | None = None, seq: int = 0
    ) -> Self:
        instance = super().__new__(cls, (points, next_offset))
        instance.cursor = cursor
        instance.seq = seq
        return instance

    @property
    def points(self) -> list[Record]:
        return self[0]

    @property
    def next_offset(self) -> PointId | None:
        return self[1]


@dataclass(frozen=True, slots=True)
class ScoredPoint:
    """A stored point and its score in the stage that ranked it. Other fields are those of Record.

    `highlights` are the parts of its texts that match, as queries by Bm25 asked.
    """

    id: PointId
    score: float
    payload: dict[str, Any] | None = None
    vectors: dict[str, Any] = field(default_factory=dict, compare=False)
    version: int = 0
    highlights: tuple[Highlight, ...] = ()


@dataclass(frozen=True, slots=True)
class WithPayloadSelector:
    """Which part of payloads to return: only `include`, or all but `exclude`. Paths are `a`, `a.b`, `a[].b`."""

    include: Sequence[str] | None = None
    exclude: Sequence[str] | None = None

    def __post_init__(self) -> None:
        if (self.include is None) == (self.exclude is None):
            raise ValueError("WithPayloadSelector takes include or exclude")


@dataclass(frozen=True, slots=True)
class WithVectorsSelector:
    """Which vectors to return: those of the spaces in `include`."""

    include: Sequence[str]


WithPayload = bool | Sequence[str] | WithPayloadSelector
"""All or nothing, only these paths, or a selector."""
WithVectors = bool | Sequence[str] | WithVectorsSelector
"""All or nothing, or only those of these spaces."""
PointIds = Iterable[PointIdLike]
