"""The class RushDB: one connection and its parts."""

from types import TracebackType
from typing import Any, Self

from headwater._client import DEFAULT_TARGET, Client
from headwater.compat.rushdb.connection import Connection
from headwater.compat.rushdb.indexes import AI
from headwater.compat.rushdb.records import Records


class RushDB:
    """RushDB's client. `target` is the address of a Headwater server, or a Client; `options` are those of Client.

        db = RushDB("localhost:50051", api_key="...")

    With `create_collections`, a label needs no collection: an index or a record of the label makes it, and `find`
    finds nothing in a label without one. Without it, these calls raise CollectionNotFoundError. A key of an API needs
    the right to make collections. `client` is the Headwater client. Raises TypeError and ValueError.
    """

    def __init__(
        self, target: str | Client = DEFAULT_TARGET, *, create_collections: bool = True, **options: Any
    ) -> None:
        if isinstance(target, Client) and options:
            raise TypeError(f"a Client has its options already; also given: {', '.join(options)}")
        self.client = target if isinstance(target, Client) else Client(target, **options)
        connection = Connection(self.client, create_collections)
        self.records = Records(connection)
        self.ai = AI(connection)

    def close(self) -> None:
        """Ends the connection."""
        self.client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
