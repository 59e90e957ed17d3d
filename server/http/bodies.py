"""Receives the body of a request: whole, or as the messages of a stream. Bounds how much is received, and how long.

A message of a stream has five bytes before it: one of flags, and its length in four.
"""

import asyncio
import struct
from collections.abc import Awaitable, Callable
from typing import Any

from server.errors import TooManyRequests
from storage.errors import Cancelled, DeadlineExceeded, InvalidRequest, LimitExceeded

MAX_BODY_SECONDS = 120.0
"""Seconds in which the body of a unary request must have come."""
PREFIX = struct.Struct(">BI")
COMPRESSED, LAST = 1, 2  # flags of a message of a stream

Receive = Callable[[], Awaitable[Any]]


class Arriving:
    """Bytes of all bodies that are being received. Used in the event loop only."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._bytes = 0

    def hold(self, size: int) -> None:
        """Counts `size` more bytes. Raises TooManyRequests if there is no room."""
        if self._bytes + size > self._most and self._bytes > 0:
            raise TooManyRequests("too many bytes of requests are being received", self._most, 1.0)
        self._bytes += size

    def release(self, size: int) -> None:
        """Says that so many bytes are no longer being received."""
        self._bytes -= size


class Body:
    """The body of one request, of messages of at most `most` bytes."""

    def __init__(self, receive: Receive, arriving: Arriving, most: int) -> None:
        self._receive = receive
        self._arriving = arriving
        self._most = most
        self._buffer = bytearray()
        self._is_whole = asyncio.Event()

    async def whole(self, declared: int) -> bytes:
        """All of it. `declared`: how many bytes its headers say that it has, 0 if they do not.

        Raises LimitExceeded, TooManyRequests, DeadlineExceeded, and Cancelled if the client leaves.
        """
        if declared > self._most:
            raise self._too_large(declared)
        try:
            async with asyncio.timeout(MAX_BODY_SECONDS):
                while not self._is_whole.is_set():
                    await self._more()
                    if len(self._buffer) > self._most:
                        raise self._too_large(len(self._buffer))
            return bytes(self._buffer)
        except TimeoutError:
            raise DeadlineExceeded("the body of the request did not come") from None
        finally:
            self._drop(len(self._buffer))

    async def message(self) -> tuple[int, bytes] | None:
        """The flags and the bytes of the next message of a stream; None at the end.

        Raises InvalidRequest, LimitExceeded, TooManyRequests, and Cancelled if the client leaves.
        """
        if not await self._has(PREFIX.size):
            if self._buffer:
                raise InvalidRequest("", "the stream ends within the prefix of a message")
            return None
        flags, size = PREFIX.unpack_from(self._buffer)
        if size > self._most:
            raise self._too_large(size)
        if not await self._has(PREFIX.size + size):
            raise InvalidRequest("", "the stream ends within a message")
        message = bytes(self._buffer[PREFIX.size : PREFIX.size + size])
        self._drop(PREFIX.size + size)
        return flags, message

    async def left(self) -> None:
        """Returns when the client has left, after the body was received."""
        await self._is_whole.wait()
        while (await self._receive())["type"] != "http.disconnect":
            pass

    def drop(self) -> None:
        """Says that what was received is not needed any more."""
        self._drop(len(self._buffer))

    async def _has(self, size: int) -> bool:
        """Whether the buffer has so many bytes, after receiving what is missing."""
        while len(self._buffer) < size and not self._is_whole.is_set():
            await self._more()
        return len(self._buffer) >= size

    async def _more(self) -> None:
        event = await self._receive()
        if event["type"] == "http.disconnect":
            raise Cancelled()
        part = event.get("body", b"")
        self._arriving.hold(len(part))
        self._buffer += part
        if not event.get("more_body", False):
            self._is_whole.set()

    def _drop(self, size: int) -> None:
        del self._buffer[:size]
        self._arriving.release(size)

    def _too_large(self, actual: int) -> LimitExceeded:
        return LimitExceeded("", limit="max_message_bytes", maximum=self._most, actual=actual)
