"""Counts what one request holds, bytes of memory and of its reply, and what its searches did. It measures nothing
itself."""

from dataclasses import dataclass, field

from storage.errors import ReplyTooLarge, RequestTooLarge


@dataclass(slots=True, eq=False)
class Meter:
    """The counts of one request and the server's bounds; a bound of None does not limit. Code that allocates counts
    first.

    The counts of bytes are upper estimates for large arrays and lists. Small objects are not counted.

    `searches`: those that ran, by how they found their rows. `rows_scanned`: rows compared one after the other.
    `graph_steps`: rows compared by walks of graphs.
    """

    max_memory: int | None = None
    max_reply: int | None = None
    memory: int = 0
    reply: int = 0
    searches: dict[str, int] = field(default_factory=dict)
    rows_scanned: int = 0
    graph_steps: int = 0

    def searched(self, strategy: str, count: int = 1) -> None:
        """Counts searches that found their rows by `strategy`."""
        self.searches[strategy] = self.searches.get(strategy, 0) + count

    def hold(self, size: int, what: str) -> None:
        """Counts `size` bytes that `what` is about to take. Raises RequestTooLarge."""
        if self.max_memory is not None and self.memory + size > self.max_memory:
            raise RequestTooLarge(what, size=size, held=self.memory, maximum=self.max_memory)
        self.memory += size

    def release(self, size: int) -> None:
        """Gives back `size` bytes that were held."""
        self.memory -= size

    def expect(self, size: int) -> None:
        """Raises ReplyTooLarge when the reply has no room for `size` more bytes. Counts nothing."""
        if self.max_reply is not None and self.reply + size > self.max_reply:
            raise ReplyTooLarge(size=self.reply + size, maximum=self.max_reply)

    def answer(self, size: int) -> None:
        """Counts `size` bytes that the reply is about to grow by. Raises ReplyTooLarge."""
        self.expect(size)
        self.reply += size
