"""Points as a user writes and reads them, and selectors of the payloads and vectors to return."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self
from uuid import UUID

from numpy.typing import NDArray

from headwater._display import PartList, Row, Table, counted, plain
from headwater.models.text import Highlight
from headwater.models.vectors import MultiVectorLike, SparseVector, SparseVectorLike

PointId = int | str
"""An id as the server returns it: an unsigned 64-bit number, or a string of 1 to 512 UTF-8 bytes."""
PointIdLike = int | str | UUID
"""An id as it may be given. A UUID is sent as its string."""
Payload = Mapping[str, Any]
"""Values by key: None, bool, int (64 bits), float, str, and lists and dicts of these. Numpy scalars are accepted
too."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text instead of a vector. The embedder of the space turns it into a vector, on the server."""

    text: str


VectorLike = Sequence[float] | NDArray[Any] | Text | SparseVectorLike | MultiVectorLike
"""One dense, sparse or multi-vector, or a text that the server turns into one. float32 arrays are sent as they are."""
VectorsLike = (
    Sequence[float] | NDArray[Any] | Text | SparseVector | MultiVectorLike | str | Mapping[str, VectorLike | str]
)
"""A vector of the unnamed space, or vectors by space name; the unnamed space is "". Here a string is a Text, and the
keys of a dict are always names of spaces."""


@dataclass(frozen=True, slots=True, eq=False)
class PointStruct:
    """A point to write. It may have vectors in all spaces, in some, or in none."""

    id: PointIdLike
    vector: VectorsLike = field(default_factory=dict)
    payload: Payload | None = None


PointLike = (
    PointStruct | Mapping[str, Any] | tuple[PointIdLike, VectorsLike] | tuple[PointIdLike, VectorsLike, Payload | None]
)
"""A point; also a dict or a tuple of its fields."""


class TableLike(Protocol):
    """An Arrow table or a pandas frame."""

    @property
    def shape(self) -> tuple[int, int]: ...


PointsLike = Iterable[PointLike] | TableLike
"""Points; also a table with the columns `id`, `vector` or `vector:<space>`, `payload`, and others for the payload."""


@dataclass(frozen=True, slots=True, eq=False)
class PointVectors:
    """New vectors for an existing point. Its other vectors stay."""

    id: PointIdLike
    vector: VectorsLike


class PayloadNotAskedFor(dict[str, Any]):
    """Stands for a payload that was not asked for. It is empty and equals no payload; its KeyError says why."""

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
"""Vectors by space name; None when they were not asked for. With `Any`, type checkers need no test for None."""


def _only(vectors: Vectors) -> Any:
    """Returns the vector of the unnamed space, or the only one; None without any. Raises ValueError for several."""
    if not vectors:
        return None
    if "" in vectors:
        return vectors[""]
    if len(vectors) > 1:
        raise ValueError(f"the point has vectors in {', '.join(map(repr, vectors))}: choose one from its `vectors`")
    return next(iter(vectors.values()))


@dataclass(frozen=True, slots=True)
class Record:
    """A stored point. Vectors that were not asked for are None; such a payload is an empty PayloadNotAskedFor.

    `vectors` holds the vectors by space name, as they were written; the unnamed space is "". A dense vector is float32
    (size,), a multi-vector float32 (n, size), a sparse one a SparseVector. `==` does not compare them. `version` is the
    sequence number of the last commit that changed the point.
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
        """Its fields as plain values for `json.dumps`, without those that were not asked for."""
        return {name: plain(value) for name, value in self.row().items()}

    def row(self) -> dict[str, Any]:
        """Its fields as they are, without those that were not asked for."""
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
    """A page of a scroll: `points, next_offset = page`. The offset is None on the last page.

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

    `highlights` are the matching pieces of its texts, when a query by Bm25 asked for them.
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
        """Its fields as plain values for `json.dumps`, without those that were not asked for."""
        return {name: plain(value) for name, value in self.row().items()}

    def row(self) -> dict[str, Any]:
        """Its fields as they are, without those that were not asked for."""
        highlights = {"highlights": self.highlights} if self.highlights else {}
        return {"id": self.id, "score": self.score, **_asked_for(self), **highlights, "version": self.version}


@dataclass(frozen=True, slots=True)
class WithPayloadSelector:
    """The payload paths to return: only `include`, or all but `exclude`. Paths are `a`, `a.b`, `a[].b`."""

    include: Sequence[str] | None = None
    exclude: Sequence[str] | None = None

    def __post_init__(self) -> None:
        if (self.include is None) == (self.exclude is None):
            raise ValueError("WithPayloadSelector takes include or exclude")


@dataclass(frozen=True, slots=True)
class WithVectorsSelector:
    """The vectors to return: those of the spaces in `include`."""

    include: Sequence[str]


WithPayload = bool | Sequence[str] | WithPayloadSelector
"""True: the whole payload. False: none. Or paths, or a selector."""
WithVectors = bool | Sequence[str] | WithVectorsSelector
"""True: all vectors. False: none. Or names of spaces, or a selector."""
PointIds = Iterable[PointIdLike]
