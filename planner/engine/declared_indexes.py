"""Declared indexes of payload paths: creates and deletes them, and reports their state."""

from planner.payload_index import FieldBuilds, FieldIndexes, FieldIndexStatus, IndexState, check_index_path
from storage.budget import UNLIMITED, Budget
from storage.collection import Collection
from storage.schema import FieldIndexParams, SchemaChange


class DeclaredIndexes:
    """The indexes that users declared. Safe for many threads."""

    def __init__(self, fields: FieldIndexes, builds: FieldBuilds) -> None:
        self._fields = fields
        self._builds = builds

    def create(
        self,
        collection: Collection,
        path: str,
        params: FieldIndexParams,
        *,
        wait: bool = True,
        budget: Budget = UNLIMITED,
    ) -> FieldIndexStatus:
        """Declares an index of a payload path, durably. With `wait` it is READY on return; else it is made in the
        background.

        Declaring the same index again changes nothing. Raises InvalidRequest for what is no path,
        FieldIndexAlreadyExists if the path has another index, LimitExceeded, DeadlineExceeded, Cancelled. After the
        last two it may be declared.
        """
        path = check_index_path(path)
        if collection.schema.field_indexes.get(path) != params:
            collection.change_schema(SchemaChange(create_fields={path: params}), budget)
        if wait:
            self._builds.make(collection, path, budget)
        else:
            self._builds.start(collection)
        return self.status(collection, budget).get(path, FieldIndexStatus(params, 0, IndexState.PENDING))

    def delete(self, collection: Collection, path: str, budget: Budget = UNLIMITED) -> bool:
        """Deletes a declared index, durably. False if there is none. Raises InvalidRequest for what is no path."""
        path = check_index_path(path)
        if path not in collection.schema.field_indexes:
            return False
        collection.change_schema(SchemaChange(delete_fields=(path,)), budget)
        self._fields.forget(collection.uid, path)
        return True

    def status(self, collection: Collection, budget: Budget = UNLIMITED) -> dict[str, FieldIndexStatus]:
        """The declared indexes by path."""
        if not collection.schema.field_indexes:
            return {}
        self._builds.start(collection)
        with collection.snapshot() as reader:
            return {path: self._builds.status(reader, path, budget) for path in reader.schema.field_indexes}
