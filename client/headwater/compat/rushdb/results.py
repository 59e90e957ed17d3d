"""Results as RushDB's client gives them: records, and what holds them in `data`. Calls nothing."""

from collections.abc import ItemsView, Iterator, KeysView, Mapping, Sequence, ValuesView
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from headwater.models import PointId, ScoredPoint

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ApiResponse(Generic[T]):
    """The result of a call is in `data`."""

    data: T
    success: bool = True
    total: int | None = None


class Record:
    """A record. `data` has its properties, `__id`, `__label`, and `__score` when it was searched for."""

    __slots__ = ("data",)

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data

    @property
    def id(self) -> PointId:
        found: PointId = self.data["__id"]
        return found

    @property
    def label(self) -> str:
        return str(self.data["__label"])

    @property
    def score(self) -> float | None:
        """How near the record is to the query of `ai.search`; higher is better. None if it was not searched for."""
        return self.data.get("__score")

    @property
    def fields(self) -> dict[str, Any]:
        """The properties, without the names that start with `__`."""
        return {key: value for key, value in self.data.items() if not key.startswith("__")}

    def to_dict(self, exclude_internal: bool = True) -> dict[str, Any]:
        """The properties; with `exclude_internal=False` all of `data`."""
        return self.fields if exclude_internal else dict(self.data)

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a property, or `default`."""
        return self.data.get(key, default)

    def keys(self) -> KeysView[str]:
        return self.data.keys()

    def values(self) -> ValuesView[Any]:
        return self.data.values()

    def items(self) -> ItemsView[str, Any]:
        return self.data.items()

    def __getitem__(self, key: str) -> Any:
        return self.data[key]

    def __contains__(self, key: object) -> bool:
        return key in self.data

    def __iter__(self) -> Iterator[str]:
        return iter(self.data)

    def __len__(self) -> int:
        return len(self.data)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Record) and (self.label, self.id) == (other.label, other.id)

    def __hash__(self) -> int:
        return hash((self.label, self.id))

    def __repr__(self) -> str:
        return f"Record(id={self.id!r}, label={self.label!r})"


@dataclass(frozen=True, slots=True)
class SearchResult(Sequence[Record]):
    """A sequence of records, which are also in `data`. `total` records match in all."""

    data: list[Record]
    total: int
    search_query: Mapping[str, Any] = field(default_factory=dict)

    @property
    def has_more(self) -> bool:
        """Whether more records match, after these."""
        return bool(self.total > self.search_query.get("skip", 0) + len(self.data))

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: Any) -> Any:
        return self.data[index]


def record_of(label: str, id: PointId, data: Mapping[str, Any]) -> Record:
    return Record({**data, "__id": id, "__label": label})


def found_record(label: str, point: ScoredPoint) -> Record:
    """The record that a search found, with its score."""
    return Record({**(point.payload or {}), "__id": point.id, "__label": label, "__score": point.score})
