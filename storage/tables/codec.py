"""The interface by which storage reads and makes payload bytes without knowing their format."""

from collections.abc import Collection
from typing import Protocol


class PayloadCodec(Protocol):
    """Turns payloads into bytes and back. Values are None, bool, int, float, str, list and dict."""

    def encode(self, payload: dict[str, object]) -> bytes:
        """The bytes of `payload`. Equal payloads give equal bytes."""

    def decode(self, data: bytes | memoryview, keys: Collection[str] | None = None) -> dict[str, object]:
        """The payload, or only its top-level `keys` when given. Raises ValueError when `data` is not a payload."""
