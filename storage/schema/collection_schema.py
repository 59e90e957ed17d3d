"""The schema of a collection: its spaces, indexes and settings, as frozen data with a JSON form for the disk."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from storage.schema import payload_schema
from storage.schema.payload_schema import FieldIndexSchema
from storage.schema.space_json import body_space_from_json, body_space_to_json, dense_from_json, dense_to_json
from storage.schema.spaces import BodySpace, DenseSpace, MultiSpace, SpaceSchema, SparseSpace
from storage.schema.stored import each, typed
from storage.schema.text_settings import TextSettings

PointId = int | str
"""An unsigned 64-bit number or a string of 1 to 512 UTF-8 bytes."""


@dataclass(frozen=True, kw_only=True)
class CollectionSchema:
    """All settings of a collection. Spaces are by name; declared indexes and text indexes by payload path.

    `auto_index`: background work starts by itself. The class has no `__slots__`, so that the maps below are computed
    once.
    """

    spaces: Mapping[str, SpaceSchema]
    indexing_threshold: int = 20_000
    auto_index: bool = True
    field_indexes: FieldIndexSchema = field(default_factory=dict)
    text_indexes: Mapping[str, TextSettings] = field(default_factory=dict)

    @cached_property
    def dense(self) -> Mapping[str, DenseSpace]:
        """The dense spaces, by name."""
        return {name: space for name, space in self.spaces.items() if isinstance(space, DenseSpace)}

    @cached_property
    def sparse(self) -> Mapping[str, SparseSpace]:
        """The sparse spaces, by name."""
        return {name: space for name, space in self.spaces.items() if isinstance(space, SparseSpace)}

    @cached_property
    def multi(self) -> Mapping[str, MultiSpace]:
        """The spaces of multi-vectors, by name."""
        return {name: space for name, space in self.spaces.items() if isinstance(space, MultiSpace)}

    @cached_property
    def row_spaces(self) -> Mapping[str, DenseSpace]:
        """The spaces that have files of rows, by name: dense ones, and the token spaces of multi-vectors."""
        return {**self.dense, **{name: space.tokens for name, space in self.multi.items()}}

    @cached_property
    def body_spaces(self) -> Mapping[str, BodySpace]:
        """The spaces that have a table of bodies in LMDB, by name: sparse ones and multi-vectors."""
        return {name: space for name, space in self.spaces.items() if not isinstance(space, DenseSpace)}

    @property
    def names(self) -> list[str]:
        """The names of all spaces, sorted."""
        return sorted(self.spaces)

    def to_json(self) -> dict[str, Any]:
        """The persisted form. Dense spaces are under "spaces". The others, if any, are under "records"."""
        data: dict[str, Any] = {
            "spaces": {name: dense_to_json(space) for name, space in self.dense.items()},
            "indexing_threshold": self.indexing_threshold,
            "auto_index": self.auto_index,
            "field_indexes": payload_schema.to_json(self.field_indexes),
        }
        if self.body_spaces:
            data["records"] = {name: body_space_to_json(space) for name, space in self.body_spaces.items()}
        if self.text_indexes:
            data["text_indexes"] = {path: settings.to_json() for path, settings in self.text_indexes.items()}
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "CollectionSchema":
        """Reads what `to_json` wrote, in this or an earlier release. Raises Unreadable."""
        dense = each(data.get("spaces"), "spaces", dense_from_json)
        others = each(data.get("records", {}), "records", body_space_from_json)
        return cls(
            spaces={**dense, **others},
            indexing_threshold=typed(int, data.get("indexing_threshold"), "indexing_threshold"),
            # Older directories lack the fields below.
            auto_index=typed(bool, data.get("auto_index", True), "auto_index"),
            field_indexes=payload_schema.from_json(data.get("field_indexes", {}), "field_indexes"),
            text_indexes=each(data.get("text_indexes", {}), "text_indexes", TextSettings.from_json),
        )
