"""How storage asks for payload bytes to be read and made, without knowing their format."""

from collections.abc import Collection
from typing import Protocol


class PayloadCodec(Protocol):
    """Turns payloads into bytes and back. Values are None, bool, int, float, str, list and dict."""

    def encode(self, payload: dict[str, object]) -> bytes:
        """The one encoding of `payload`: equal payloads give equal bytes."""

    def decode(self, data: bytes | memoryview, keys: Collection[str] | None = None) -> dict[str, object]:
        """The payload; only its top-level `keys` when given. Raises ValueError when `data` is no payload."""
