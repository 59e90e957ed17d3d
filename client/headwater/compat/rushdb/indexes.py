"""`db.ai`: indexes of properties and searches in them."""

from collections.abc import Mapping
from typing import Any

from headwater._plain import snake_case
from headwater.compat.rushdb.connection import Connection, Part
from headwater.compat.rushdb.queries import where_filter
from headwater.compat.rushdb.results import ApiResponse, Record, found_record
from headwater.models import Distance, Index, IndexSource, ScoreMode

_SIMILARITIES = {Distance.COSINE: "cosine", Distance.EUCLID: "euclidean", Distance.DOT: "dot"}


class Indexes(Part):
    """Indexes of a property of a label. All raise HeadwaterError."""

    def create(self, params: Mapping[str, Any]) -> ApiResponse[dict[str, Any]]:
        """Creates an index: `{"label", "propertyName", "sourceType", "similarityFunction", "dimensions"}`.

        As in RushDB it is managed unless `sourceType` is "external", so the server needs an embedder.
        """
        given = {snake_case(key): value for key, value in params.items()}
        if given.get("source_type") is None and given.get("external") is None:
            given["source_type"] = IndexSource.MANAGED
        make = self._client.indexes.create
        return ApiResponse(_index_data(self._connection.writing(str(given.get("label")), lambda: make(given))))

    def find(self) -> ApiResponse[list[dict[str, Any]]]:
        """All indexes."""
        found = [_index_data(index) for index in self._client.indexes.list()]
        return ApiResponse(found, total=len(found))

    def delete(self, index_id: str) -> ApiResponse[dict[str, bool]]:
        """Deletes an index with its vectors."""
        self._client.indexes.delete(index_id)
        return ApiResponse({"deleted": True})

    def stats(self, index_id: str) -> ApiResponse[dict[str, int]]:
        """How many records should have a vector, and how many have one."""
        stats = self._client.indexes.stats(index_id)
        return ApiResponse({"totalRecords": stats.total, "indexedRecords": stats.indexed})

    def upsert_vectors(self, index_id: str, params: Mapping[str, Any]) -> ApiResponse[dict[str, int]]:
        """Sets vectors of existing records, all or none: `{"items": [{"recordId", "vector"}]}`. May be repeated."""
        written = self._client.indexes.upsert_vectors(index_id, params)
        counts = {"updated": written.updated, "requested": written.requested, "unchanged": written.unchanged}
        return ApiResponse(counts)


class AI(Part):
    """Searches, and `indexes`."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.indexes = Indexes(connection)

    def search(self, params: Mapping[str, Any]) -> ApiResponse[list[Record]]:
        """The records nearest to a vector or a text, best first, each with its `score`.

        `{"labels", "propertyName", "queryVector" or "query", "similarityFunction", "sourceType", "where", "limit",
        "skip"}`. Scores are similarities: higher is better.
        """
        given = {snake_case(key): value for key, value in params.items()}
        if given.get("where") is not None:
            given["where"] = where_filter(given["where"])
        hits = self._client.indexes.search({"score_mode": ScoreMode.SIMILARITY, **given})
        return ApiResponse([found_record(hit.label, hit.point) for hit in hits])


def _index_data(index: Index) -> dict[str, Any]:
    return {
        "id": index.id,
        "label": index.label,
        "propertyName": index.property_name,
        "sourceType": index.source_type.value,
        "similarityFunction": _SIMILARITIES.get(index.similarity_function, index.similarity_function.value.lower()),
        "dimensions": index.dimensions,
        "status": index.status.value,
        "error": index.error,
        "space": index.space,
    }
