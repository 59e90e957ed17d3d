"""`db.records`: creates, imports, finds and deletes records."""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from headwater.compat.rushdb.connection import Part
from headwater.compat.rushdb.queries import FindQuery, find_query
from headwater.compat.rushdb.results import Record, SearchResult, record_of
from headwater.models import LabeledRecord, PropertyVectorLike

Data = Mapping[str, Any]
Vectors = Sequence[PropertyVectorLike]
_VECTORS_KEY = "$vectors"


class NestedDataWarning(UserWarning):
    """Nested objects of an import stay in their record here. RushDB makes records of their own of them."""


class Records(Part):
    """Records by label. All raise HeadwaterError."""

    def create(self, label: str, data: Data, *, vectors: Vectors = ()) -> Record:
        """Creates a record with its vectors, in one commit."""
        made = self._connection.writing(label, lambda: self._client.records.create(label, data, vectors=vectors))
        return record_of(label, made.id, made.data)

    def create_many(
        self, label: str, data: Data | Sequence[Data], *, vectors: Sequence[Vectors] | None = None
    ) -> list[Record]:
        """Creates at most 10,000 records, all or none. `vectors[i]` are those of `data[i]`."""
        rows = [data] if isinstance(data, Mapping) else data
        return _records(
            self._connection.writing(label, lambda: self._client.records.create_many(label, rows, vectors=vectors))
        )

    def import_json(self, data: Any, label: str | None = None) -> list[Record]:
        """Creates records of `label`, or of a dict by label, or of `{"label", "data"}`.

        Nested objects stay in their record: NestedDataWarning.
        """
        if label is None and isinstance(data, Mapping) and data.keys() == {"label", "data"}:
            label, data = data["label"], data["data"]
        if label is None and not isinstance(data, Mapping):
            raise ValueError("data is a list, so it needs a label")
        made = []
        for each, rows in data.items() if label is None else [(label, data)]:
            _warn_of_nested(each, rows)
            made += self._import(each, rows)
        return made

    def find(self, search_query: Data | None = None) -> SearchResult:
        """The records that match `{"labels", "where", "limit", "skip", "orderBy"}`: label by label, by id.

        `__label` in `where` names labels, too. Without any, it looks in all collections. `skip` + `limit` <= 10,000.
        """
        query = find_query(search_query or {})
        labels = self._client.collections.list() if query.labels is None else query.labels
        if query.order is not None and len(labels) > 1:
            raise ValueError("orderBy is for one label here; this query has several")
        found: list[Record] = []
        total = 0
        for label in labels:
            count = self._connection.reading(lambda label=label: self._count(label, query), 0)  # type: ignore[misc]
            wanted = query.limit - len(found)
            if wanted and query.skip < total + count:
                found += self._page(label, query, wanted, max(0, query.skip - total))
            total += count
        return SearchResult(found, total, search_query or {})

    def delete_by_id(self, label: str, ids: Any) -> int:
        """Deletes records of a label; returns how many there were. The label is given, unlike in RushDB."""
        given = ids if isinstance(ids, Iterable) and not isinstance(ids, str) else [ids]
        return self._client.records.delete(label, ids=given)

    def _import(self, label: str, rows: Any) -> list[Record]:
        made = self._connection.writing(label, lambda: self._client.records.import_json(rows, label=label))
        return _records(made[label])

    def _count(self, label: str, query: FindQuery) -> int:
        return self._client.points.count(label, filter=query.filter)

    def _page(self, label: str, query: FindQuery, limit: int, skip: int) -> list[Record]:
        if query.order is None:
            return _records(self._client.records.find(label, where=query.filter, limit=limit, skip=skip))
        hits = self._client.points.query(label, query.order, filter=query.filter, limit=limit, offset=skip)
        return [record_of(label, hit.id, hit.payload or {}) for hit in hits]


def _records(made: Iterable[LabeledRecord]) -> list[Record]:
    return [record_of(each.label, each.id, each.data) for each in made]


def _warn_of_nested(label: str, rows: Any) -> None:
    for row in [rows] if isinstance(rows, Mapping) else rows:
        for key, value in row.items() if isinstance(row, Mapping) else ():
            first = value[0] if isinstance(value, list | tuple) and value else value
            if isinstance(first, Mapping) and key != _VECTORS_KEY:
                told = f"{key!r} of {label!r} is nested: it stays in its record, and makes no record of its own"
                warnings.warn(told, NestedDataWarning, stacklevel=3)
                return
