"""Counts what one request holds, bytes of memory and of its reply, and what its searches did. It measures nothing
itself."""

from dataclasses import dataclass, field

from storage.errors import ReplyTooLarge, RequestTooLarge

MESSAGE_LIMIT = "headwater-max-message-bytes"
"""What callers call the limit `Meter.max_message`."""

CERTAINLY = 4
"""A reply is larger than a message may be when its count is larger by this factor: in their stored form, payloads take
at most 9 bytes for a value that takes at least 4 in a reply."""


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
    max_message: int | None = None
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
        reply = self.reply + size
        if self.max_reply is not None and reply > self.max_reply:
            raise ReplyTooLarge(size=reply, maximum=self.max_reply)
        if self.max_message is not None and reply > CERTAINLY * self.max_message:
            raise ReplyTooLarge(size=reply, maximum=self.max_message, limit=MESSAGE_LIMIT)

    def check_encoded(self, size: int) -> None:
        """Raises ReplyTooLarge when the server sends no reply of `size` bytes, or the caller takes none."""
        if self.max_message is not None and size > self.max_message:
            raise ReplyTooLarge(size=size, maximum=self.max_message, limit=MESSAGE_LIMIT)
        if self.max_reply is not None and size > self.max_reply:
            raise ReplyTooLarge(size=size, maximum=self.max_reply)

    @property
    def largest_reply(self) -> int | None:
        """The bytes of the largest reply that the server sends and the caller takes."""
        if self.max_reply is None or self.max_message is None:
            return self.max_message if self.max_reply is None else self.max_reply
        return min(self.max_reply, self.max_message)

    def answer(self, size: int) -> None:
        """Counts `size` bytes that the reply is about to grow by. Raises ReplyTooLarge."""
        self.expect(size)
        self.reply += size
