"""Counts what one request holds: bytes of memory that it works in, and bytes of its reply. It measures nothing
itself."""

from dataclasses import dataclass

from storage.errors import ReplyTooLarge, RequestTooLarge


@dataclass(slots=True, eq=False)
class Meter:
    """The counts of one request and the server's bounds; a bound of None does not limit. Code that allocates counts
    first.

    The counts are upper estimates for large arrays and lists. Small objects are not counted.
    """

    max_memory: int | None = None
    max_reply: int | None = None
    memory: int = 0
    reply: int = 0

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
