"""The largest message that a caller takes, which it may say in the metadata of each call.

gRPC's own limit is 4 MiB in most languages, and a server is not told of it.
"""

from collections.abc import Iterable

from storage.errors import InvalidRequest
from storage.meter import MESSAGE_LIMIT

_MAX_DIGITS = 19


def message_limit_of(metadata: Iterable[tuple[str, str | bytes]] | None) -> int | None:
    """The bytes of the largest message that the caller takes; None: it does not say. Raises InvalidRequest."""
    for key, value in metadata or ():
        if key == MESSAGE_LIMIT:
            text = value.decode("latin-1") if isinstance(value, bytes) else value
            if not (text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS and int(text) > 0):
                raise InvalidRequest(MESSAGE_LIMIT, f"{text!r} is no number of bytes of at least 1")
            return int(text)
    return None
