"""Points as a user sees them, written and read, and the selectors over their parts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self
from uuid import UUID

from numpy.typing import NDArray

from headwater._display import PartList, Row, Table, counted, plain
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


PointLike = (
    PointStruct | Mapping[str, Any] | tuple[PointIdLike, VectorsLike] | tuple[PointIdLike, VectorsLike, Payload | None]
)
"""A point, also as a dict of its fields, or as a tuple of them."""


class TableLike(Protocol):
    """A table of Arrow or a frame of pandas."""

    @property
    def shape(self) -> tuple[int, int]: ...


PointsLike = Iterable[PointLike] | TableLike
"""Points, also as a table with columns `id`, `vector` or `vector:<space>`, `payload`, and others for the payload."""


@dataclass(frozen=True, slots=True, eq=False)
class PointVectors:
    """New vectors of an existing point; its others stay."""

    id: PointIdLike
    vector: VectorsLike


class PayloadNotAskedFor(dict[str, Any]):
    """In the place of a payload that was not asked for: empty, equal to no payload, and a KeyError that says why."""

    def __missing__(self, key: str) -> Any:
        raise KeyError(f"{key!r}: the payload was not asked for (with_payload=True does)")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PayloadNotAskedFor)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None

    def __repr__(self) -> str:
        return "<not asked for>"


Vectors = dict[str, Any] | Any
"""By the name of their space. None when they were not asked for, which type checkers need not be told each time."""


def _only(vectors: Vectors) -> Any:
    """Raises ValueError when more than one may be meant."""
    if not vectors:
        return None
    if "" in vectors:
        return vectors[""]
    if len(vectors) > 1:
        raise ValueError(f"the point has vectors in {', '.join(map(repr, vectors))}: take one from its `vectors`")
    return next(iter(vectors.values()))


@dataclass(frozen=True, slots=True)
class Record:
    """A stored point. What was not asked for is None; a payload then is an empty PayloadNotAskedFor.

    `vectors` holds by space name (the unnamed space is "") float32 arrays (size,), or a SparseVector, or of a
    multi-vector (n, size), as they were written; it is not compared by ==. `version` is the commit sequence of the
    last write that changed the point.
    """

    id: PointId
    payload: dict[str, Any] = field(default_factory=PayloadNotAskedFor)
    vectors: Vectors = field(default=None, compare=False)
    version: int = 0

    @property
    def vector(self) -> Any:
        """The vector of the unnamed space, or the only one. None: the point has none, or none was asked for."""
        return _only(self.vectors)

    def to_dict(self) -> dict[str, Any]:
        """Its parts as plain values, without those that were not asked for; `json.dumps` takes them."""
        return {name: plain(value) for name, value in self.row().items()}

    def row(self) -> dict[str, Any]:
        """Its parts as they are, without those that were not asked for."""
        return {"id": self.id, **_asked_for(self), "version": self.version}


def _asked_for(point: "Record | ScoredPoint") -> dict[str, Any]:
    payload = {} if isinstance(point.payload, PayloadNotAskedFor) else {"payload": point.payload}
    return payload | ({} if point.vectors is None else {"vectors": point.vectors})


class RecordList(Table, PartList[Record]):
    """Points: a list that prints as a table, with `to_dicts`, `to_pandas` and `to_arrow`."""

    __slots__ = ()

    def _title(self) -> str:
        return counted(len(self), "point")

    def _items(self) -> Sequence[Record]:
        return self

    def _row(self, item: Record) -> Row:
        return item.row()


class Page(Table, tuple[list[Record], PointId | None]):
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

    def _title(self) -> str:
        following = "the last page" if self.next_offset is None else f"next_offset={self.next_offset!r}"
        return f"{counted(len(self.points), 'point', seq=self.seq)}, {following}"

    def _items(self) -> Sequence[Record]:
        return self.points

    def _row(self, item: Record) -> Row:
        return item.row()


@dataclass(frozen=True, slots=True)
class ScoredPoint:
    """A stored point and its score in the stage that ranked it. Other fields are those of Record.

    `highlights` are the parts of its texts that match, as queries by Bm25 asked.
    """

    id: PointId
    score: float
    payload: dict[str, Any] = field(default_factory=PayloadNotAskedFor)
    vectors: Vectors = field(default=None, compare=False)
    version: int = 0
    highlights: tuple[Highlight, ...] = ()

    @property
    def vector(self) -> Any:
        """The vector of the unnamed space, or the only one. None: the point has none, or none was asked for."""
        return _only(self.vectors)

    def to_dict(self) -> dict[str, Any]:
        """Its parts as plain values, without those that were not asked for; `json.dumps` takes them."""
        return {name: plain(value) for name, value in self.row().items()}

    def row(self) -> dict[str, Any]:
        """Its parts as they are, without those that were not asked for."""
        highlights = {"highlights": self.highlights} if self.highlights else {}
        return {"id": self.id, "score": self.score, **_asked_for(self), **highlights, "version": self.version}


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
