"""What the parts of a RushDB share: the client, and collections that are made when a label has none."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from headwater._client import Client
from headwater.errors import CollectionAlreadyExistsError, CollectionNotFoundError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Connection:
    """A client. With `create_collections`, a label without a collection is an empty one, and writes make it."""

    client: Client
    create_collections: bool

    def writing(self, label: str, write: Callable[[], T]) -> T:
        """What `write` returns. It is called again once a missing collection is made."""
        try:
            return write()
        except CollectionNotFoundError:
            if not self.create_collections:
                raise
        with suppress(CollectionAlreadyExistsError):  # another caller was faster
            self.client.collections.create(label)
        return write()

    def reading(self, read: Callable[[], T], otherwise: T) -> T:
        """What `read` returns, or `otherwise` for a label without a collection."""
        try:
            return read()
        except CollectionNotFoundError:
            if not self.create_collections:
                raise
            return otherwise


class Part:
    """A group of methods. A name that it lacks is an error that lists those that it has."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._client = connection.client

    def __getattr__(self, name: str) -> Any:
        known = ", ".join(each for each in dir(type(self)) if not each.startswith("_"))
        raise AttributeError(f"{type(self).__name__} has no {name!r} here; it has: {known}. `db.client` does all else")
